"""Revoke a key of codes: nothing it signed counts from then on, whoever signed it."""

from datetime import datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.db import rows_changed
from citizen_cloud.jobs.services import announce

REVOKED = "credentials.key_revoked"
Reason = Literal["compromised", "lost", "superseded"]
REASONS: tuple[Reason, ...] = ("compromised", "lost", "superseded")

_IS_KNOWN = text("SELECT EXISTS (SELECT 1 FROM credentials.credential WHERE kid = :kid)")
_REVOKE = text(
    """
    INSERT INTO credentials.key_revocation (kid, reason, at, by)
    VALUES (:kid, :reason, coalesce(cast(:now AS timestamptz), statement_timestamp()), :by)
    ON CONFLICT (kid) DO NOTHING
    """
)
_ALL = text("SELECT kid FROM credentials.key_revocation")


class KeyUnknown(Exception):
    """No key of codes has this name, and none ever signed one here."""


def revoked_keys(connection: Session | Connection) -> set[str]:
    """Return the names of the keys that count no more."""
    return set(connection.scalars(_ALL))


def revoke_key(
    session: Session, *, kid: str, reason: Reason, by: str, now: datetime | None = None
) -> bool:
    """Revoke a key for ever and publish it in the same transaction; return whether it was new.

    From the commit on every verification here refuses what it signed, and it signs nothing more;
    gates know with their next snapshot. Raises ``KeyUnknown``.
    """
    if kid not in keys.public_keys() and not session.scalar(_IS_KNOWN, {"kid": kid}):
        raise KeyUnknown
    facts = {"kid": kid, "reason": reason, "by": by, "now": now}
    if not rows_changed(session, _REVOKE, facts):
        return False
    publish(session, now=now)
    announce(session, REVOKED, {"kid": kid, "reason": reason}, lane="urgent")
    record(
        session,
        Act(
            actor_kind="operator",
            actor_id=None,
            action=REVOKED,
            object_type="credential_key",
            object_id=None,
            payload={"kid": kid, "reason": reason, "by": by},
        ),
    )
    return True
