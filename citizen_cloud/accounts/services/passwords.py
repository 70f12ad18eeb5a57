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

# No sign-in has this id.
NONE = UUID(int=0)

_READ = text("SELECT username, password_hash FROM accounts.account WHERE id = :id")
_CHANGE = text(
    """
    UPDATE accounts.account
       SET password_hash = :new, password_until = NULL,
           password_changed_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id AND (cast(:old AS text) IS NULL OR password_hash = :old)
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
    """Store the new hash and end every other sign-in.

    Raises ``PasswordWrong`` if it changed, ``Unauthenticated`` where the sign-in ended meanwhile.
    """
    sign_ins.require_live(session, account_id=account_id, sign_in_id=sign_in_id)
    changed = {"id": account_id, "old": old, "new": new, "now": now}
    if session.scalar(_CHANGE, changed) is None:
        raise PasswordWrong
    sign_ins.end_others(
        session, account_id=account_id, keep=sign_in_id, reason="password_changed", now=now
    )
    record(session, _act(kind, account_id))


def replace_password(
    session: Session, *, account_id: UUID, kind: str, new: str, now: datetime | None = None
) -> None:
    """Store the hash of the password that replaces the one just shown; every sign-in ends."""
    session.execute(_CHANGE, {"id": account_id, "old": None, "new": new, "now": now})
    sign_ins.end_others(
        session, account_id=account_id, keep=NONE, reason="password_changed", now=now
    )
    record(session, _act(kind, account_id))


def first_hash(password: str, *, username: str) -> str:
    """Judge the first password of an account and return its hash. Raises ``PasswordTooWeak``."""
    if not may_be_password(password, username=username):
        raise PasswordTooWeak(errors=[{"pointer": "/password", "code": "invalid"}])
    return hashing.current().hash(password)


def _act(kind: str, account_id: UUID) -> Act:
    return Act(
        actor_kind=kind,
        actor_id=account_id,
        action="accounts.password_changed",
        object_type="account",
        object_id=account_id,
    )
