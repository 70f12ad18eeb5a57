"""Shut an account for good, before it is erased: nobody gets in, and whoever is in is out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.sign_ins import end_others

_SUSPEND = text(
    "UPDATE accounts.account SET status = 'suspended' WHERE id = :id AND status = 'active'"
)


def end_all(
    session: Session, *, account_id: UUID, reason: str, now: datetime | None = None
) -> None:
    """End every sign-in of an account, also the one that asks; signing in again stays possible."""
    end_others(session, account_id=account_id, keep=None, reason=reason, now=now)


def shut(session: Session, *, account_id: UUID, now: datetime | None = None) -> None:
    """End every sign-in and let nobody sign in again; erasure follows."""
    session.execute(_SUSPEND, {"id": account_id})
    end_all(session, account_id=account_id, reason="erased", now=now)
