"""Staff change their own password; the other sign-ins end."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.refusals import PasswordTooWeak, PasswordWrong
from citizen_cloud.accounts.rules.passwords import may_be_password
from citizen_cloud.accounts.services import sign_ins
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Forbidden

_READ = text("SELECT username, password_hash FROM accounts.account WHERE id = :id")
_CHANGE = text(
    """
    UPDATE accounts.account SET password_hash = :new WHERE id = :id AND password_hash = :old
    RETURNING id
    """
)


def password_of(connection: Connection, *, account_id: UUID) -> tuple[str, str]:
    """Return user name and stored hash. Raises ``Forbidden`` for who signs in by phone."""
    row = connection.execute(_READ, {"id": account_id}).one()
    if row.password_hash is None:
        raise Forbidden
    return row.username, row.password_hash


def hashed_change(*, username: str, stored: str, current: str, new: str) -> str:
    """Judge a change and return the new hash; slow, so no connection is held meanwhile.

    Raises ``PasswordWrong`` or ``PasswordTooWeak``.
    """
    if not hashing.current().matches(stored, current):
        raise PasswordWrong(errors=[{"pointer": "/current", "code": "invalid"}])
    if new == current or not may_be_password(new, username=username):
        raise PasswordTooWeak(errors=[{"pointer": "/new", "code": "invalid"}])
    return hashing.current().hash(new)


def change_password(
    session: Session,
    *,
    account_id: UUID,
    sign_in_id: UUID,
    kind: str,
    old: str,
    new: str,
    now: datetime | None = None,
) -> None:
    """Store the new hash and end every other sign-in. Raises ``PasswordWrong`` if it changed."""
    if session.scalar(_CHANGE, {"id": account_id, "old": old, "new": new}) is None:
        raise PasswordWrong
    sign_ins.end_others(
        session, account_id=account_id, keep=sign_in_id, reason="password_changed", now=now
    )
    record(
        session,
        Act(
            actor_kind=kind,
            actor_id=account_id,
            action="accounts.password_changed",
            object_type="account",
            object_id=account_id,
        ),
    )
