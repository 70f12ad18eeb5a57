"""Accounts of other systems: nobody signs in with them, but their deeds need a name."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import display_name_place
from citizen_cloud.db import new_id

_OPEN = text("INSERT INTO accounts.account (id, kind) VALUES (:id, 'service')")
_NAME = text("UPDATE accounts.account SET display_name_sealed = :name WHERE id = :id")


def open_service_account(session: Session, *, name: str) -> UUID:
    """Open an account that stands for a system; return its id."""
    account_id = new_id()
    session.execute(_OPEN, {"id": account_id})
    name_service_account(session, account_id, name=name)
    return account_id


def name_service_account(session: Session, account_id: UUID, *, name: str) -> None:
    """Give a system the name under which citizens find what it looked at."""
    sealed = crypto.current().seal(name, place=display_name_place(account_id))
    session.execute(_NAME, {"id": account_id, "name": sealed})
