"""What somebody handed out is over with the standing it rested on, and stays over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services import resets

_REVOKE = text(
    """
    UPDATE organisations.invitation
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE invited_by = :id AND accepted_at IS NULL AND revoked_at IS NULL
       AND (cast(:organisation_id AS uuid) IS NULL OR organisation_id = :organisation_id)
    """
)


def withdraw_all(
    session: Session,
    *,
    account_id: UUID,
    organisation_id: UUID | None = None,
    now: datetime | None = None,
) -> None:
    """End the open resets somebody handed out, and the invitations: at one place or everywhere.

    The codes are refused already while the standing is gone; given back, it must not bring them
    back to life.
    """
    resets.withdraw_of(session, account_id=account_id, now=now)
    asked = {"id": account_id, "organisation_id": organisation_id, "now": now}
    session.execute(_REVOKE, asked)
