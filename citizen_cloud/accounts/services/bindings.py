"""Say which person a staff account stands for: two accounts of one human are one human.

The member of staff asks, the citizen of a proven document confirms with the code; whoever hands
accounts out has no part in it. What is bound for ends with the binding: an appointment to decide.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud.accounts import handed_codes
from citizen_cloud.accounts.refusals import BindingCodeInvalid
from citizen_cloud.accounts.rules.lifetimes import BINDING
from citizen_cloud.accounts.services.factor_news import tell
from citizen_cloud.accounts.services.recovery import account_of
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Forbidden, NotFound
from citizen_cloud.jobs.services import announce

BOUND = "accounts.staff_account_bound"
UNBOUND = "accounts.staff_account_unbound"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request as it stands; the code is shown this once."""

    code: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Whose code it is: what a citizen sees before saying that the account is his."""

    id: UUID
    account_id: UUID
    username: str
    kind: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A staff account and since when it stands for its person."""

    id: UUID
    username: str
    bound_at: datetime


# The account's row is the lock: what is asked for, confirmed and ended of one account is in turn.
_LOCK = text(
    """
    SELECT username FROM accounts.account
     WHERE id = :id AND kind IN ('staff', 'admin') AND status = 'active' FOR NO KEY UPDATE
    """
)
_FORGET_OPEN = text("DELETE FROM accounts.binding WHERE account_id = :id AND bound_at IS NULL")
_ASK = text(
    """
    INSERT INTO accounts.binding (account_id, code_hash, asked_at, expires_at)
    SELECT :id, :hash, t, t + :life
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    RETURNING expires_at
    """
)


def ask(session: Session, *, account_id: UUID, now: datetime | None = None) -> Asked:
    """Draw the code by which a citizen takes a staff account for his own; an earlier one is over.

    Raises ``Forbidden`` for citizens.
    """
    if session.scalar(_LOCK, {"id": account_id}) is None:
        raise Forbidden
    session.execute(_FORGET_OPEN, {"id": account_id})
    code = handed_codes.drawn_to_type()
    facts = {"id": account_id, "hash": handed_codes.hash_of_typed(code), "life": BINDING}
    expires_at = session.execute(_ASK, {**facts, "now": now}).scalar_one()
    return Asked(code=code, expires_at=expires_at)


_ASKING = text(
    """
    SELECT b.id, b.account_id, a.username, a.kind, b.expires_at
      FROM accounts.binding b JOIN accounts.account a ON a.id = b.account_id
     WHERE b.code_hash = :hash AND b.bound_at IS NULL AND b.ended_at IS NULL
       AND a.status = 'active'
       AND b.expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
    """
)


def asking(session: Session, *, code: str, now: datetime | None = None) -> Asking:
    """Return which account shows this code. Raises ``BindingCodeInvalid``."""
    asked = {"hash": handed_codes.hash_of_typed(code), "now": now}
    found = session.execute(_ASKING, asked).mappings().first()
    if found is None:
        raise _invalid("code")
    return Asking(**found)


def _invalid(member: str) -> BindingCodeInvalid:
    return BindingCodeInvalid(errors=[{"pointer": f"/{member}", "code": "invalid"}])


# Under the account's lock: a code confirms once, and whoever stood for the account does no more.
_END_OTHERS = text(
    """
    UPDATE accounts.binding
       SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE account_id = :account_id AND bound_at IS NOT NULL AND ended_at IS NULL
    RETURNING id, account_id, person_id
    """
)
_CONFIRM = text(
    """
    UPDATE accounts.binding
       SET person_id = :person_id, code_hash = NULL,
           bound_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id AND bound_at IS NULL AND ended_at IS NULL RETURNING bound_at
    """
)


def confirm(
    session: Session,
    *,
    code: str,
    username: str,
    person_id: UUID,
    citizen_id: UUID | None,
    now: datetime | None = None,
) -> Bound:
    """Bind a staff account to the person who says it is his; an earlier binding of it ends.

    ``username`` is what he was shown of it: nobody confirms what he did not see. Both accounts are
    told. Without a citizen's account the system itself says so, in a demo. Raises
    ``BindingCodeInvalid``.
    """
    found = asking(session, code=code, now=now)
    known = session.scalar(_LOCK, {"id": found.account_id})
    if known is None:
        raise _invalid("code")
    if known != username.strip().lower():
        raise _invalid("username")
    ended = session.execute(_END_OTHERS, {"account_id": found.account_id, "now": now}).all()
    for before in ended:
        _tell_ended(session, before, by=citizen_id)
    facts = {"id": found.id, "person_id": person_id, "now": now}
    bound_at = session.scalar(_CONFIRM, facts)
    if bound_at is None:
        raise _invalid("code")
    record(session, _act("staff_account_bound", citizen_id, found.id, person_id, found.account_id))
    _tell_person(session, BOUND, person_id)
    tell(session, account_id=found.account_id, what="person_bound")
    return Bound(id=found.id, username=known, bound_at=bound_at)


_END = text(
    """
    UPDATE accounts.binding
       SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id AND person_id = :person_id AND ended_at IS NULL
    RETURNING id, account_id, person_id
    """
)


def end(
    session: Session,
    *,
    binding_id: UUID,
    person_id: UUID,
    citizen_id: UUID,
    now: datetime | None = None,
) -> None:
    """Let a person disown a staff account; what it was appointed to ends. Raises ``NotFound``."""
    asked = {"id": binding_id, "person_id": person_id, "now": now}
    ended = session.execute(_END, asked).first()
    if ended is None:
        raise NotFound
    _tell_ended(session, ended, by=citizen_id)


def end_of_account(session: Session, *, account_id: UUID, now: datetime | None = None) -> None:
    """End whatever an account stands for, and what it asked: it may be in other hands now.

    Whom it stood for is told, in an inbox that is not in those hands.
    """
    session.execute(_FORGET_OPEN, {"id": account_id})
    for ended in session.execute(_END_OTHERS, {"account_id": account_id, "now": now}).all():
        _tell_ended(session, ended, by=None)


def _tell_person(session: Session, event: str, person_id: UUID) -> None:
    account_id = account_of(session, person_id=person_id)
    if account_id is not None:
        announce(session, event, {"account_id": account_id}, lane="urgent")


def _tell_ended(session: Session, row: Row[Any], *, by: UUID | None) -> None:
    record(session, _act("staff_account_unbound", by, row.id, row.person_id, row.account_id))
    _tell_person(session, UNBOUND, row.person_id)
    tell(session, account_id=row.account_id, what="person_unbound")


def _act(verb: str, by: UUID | None, binding_id: UUID, person_id: UUID, account_id: UUID) -> Act:
    return Act(
        actor_kind="system" if by is None else "citizen",
        actor_id=by,
        action=f"accounts.{verb}",
        object_type="binding",
        object_id=binding_id,
        payload={"person_id": person_id, "account_id": account_id},
    )
