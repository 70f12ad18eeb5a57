"""Shut an account for good, before it is erased: nobody gets in, and whoever is in is out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_SUSPEND = text(
    "UPDATE accounts.account SET status = 'suspended' WHERE id = :id AND status = 'active'"
)
_END_ALL = text(
    """
    UPDATE accounts.sign_in
       SET revoked_at = coalesce(:now, statement_timestamp()), revoked_because = :reason
     WHERE account_id = :id AND revoked_at IS NULL
    """
)


def end_all(
    session: Session, *, account_id: UUID, reason: str, now: datetime | None = None
) -> None:
    """End every sign-in of an account, also the one that asks; signing in again stays possible."""
    session.execute(_END_ALL, {"id": account_id, "reason": reason, "now": now})


def shut(session: Session, *, account_id: UUID, now: datetime | None = None) -> None:
    """End every sign-in and let nobody sign in again; erasure follows."""
    session.execute(_SUSPEND, {"id": account_id})
    end_all(session, account_id=account_id, reason="erased", now=now)
