"""Scheduled work of the oidc room."""

from datetime import datetime

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.db import rows_changed
from citizen_cloud.oidc.services.signing_keys import forget_retired, rotate_keys

# Sign-ins at partners are kept as long as logs must be (Cybersecurity Law: six months).
_FORGET = (
    text("DELETE FROM oidc.token WHERE expires_at < :now - interval '1 hour'"),
    # Anybody can make one that nobody opens, hundreds a minute.
    text(
        """
        DELETE FROM oidc.request
         WHERE expires_at < :now - CASE WHEN account_id IS NULL THEN interval '0'
                                        ELSE interval '1 day' END
        """
    ),
    text("DELETE FROM oidc.client_secret WHERE expires_at < :now"),
    text(
        """
        DELETE FROM oidc.issuance i
         WHERE i.expires_at < :now - interval '183 days'
           AND NOT EXISTS (SELECT 1 FROM oidc.token t WHERE t.issuance_id = i.id)
        """
    ),
    text(
        """
        DELETE FROM oidc.consent k
         WHERE k.withdrawn_at < :now - interval '183 days'
           AND NOT EXISTS (SELECT 1 FROM oidc.issuance i WHERE i.consent_id = k.id)
        """
    ),
)


def forget_ended(now: datetime) -> int:
    """Delete tokens, requests and secrets whose time is over; return how many."""
    with db.transaction() as session:
        return sum(rows_changed(session, each, {"now": now}) for each in _FORGET)


def renew_keys(now: datetime) -> list[str]:
    """Put a new key beside each that is 90 days old, and drop those whose signatures are over."""
    with db.transaction() as session:
        forget_retired(session, now=now)
        return rotate_keys(session, only_old=True, now=now)
