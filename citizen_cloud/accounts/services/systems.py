"""Accounts of other systems: nobody signs in with them, but their deeds need a name."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import new_id

_OPEN = text("INSERT INTO accounts.account (id, kind) VALUES (:id, 'service')")


def open_service_account(session: Session) -> UUID:
    """Open an account that stands for a system; return its id."""
    account_id = new_id()
    session.execute(_OPEN, {"id": account_id})
    return account_id
