"""Let a member of staff in again who lost password or authenticator.

A reset shuts the account at once: password, authenticator, recovery codes and sign-ins are gone,
and only the code that was handed out opens it, once, within a day. The account of somebody who
looks after the platform is shut only when a second person agrees.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, Row
from sqlalchemy.orm import Session

from citizen_cloud.accounts import handed_codes
from citizen_cloud.accounts.refusals import OwnAccount, ResetInvalid, SecondPersonRequired
from citizen_cloud.accounts.rules.lifetimes import RESET
from citizen_cloud.accounts.services import bindings, recovery_codes, sign_ins
from citizen_cloud.accounts.services.factor_news import tell
from citizen_cloud.accounts.services.passwords import NONE
from citizen_cloud.accounts.services.standing_for import are_one
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Reset:
    """A reset as it stands; the code is known only where it was just drawn."""

    id: UUID
    account_id: UUID
    expires_at: datetime
    code: str | None = None


_LOCK = text(
    """
    SELECT kind FROM accounts.account
     WHERE id = :id AND kind IN ('staff', 'admin') AND status <> 'closed' FOR UPDATE
    """
)
_END_OPEN = text(
    """
    UPDATE accounts.reset SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE account_id = :account_id AND used_at IS NULL AND ended_at IS NULL
    """
)
_ASK = text(
    """
    INSERT INTO accounts.reset (account_id, asked_by, needs_second, created_at, expires_at)
    SELECT :account_id, :asked_by, :needs_second, t, t + :life
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    RETURNING id, expires_at
    """
)
_PROPOSAL = text(
    """
    SELECT r.account_id, r.asked_by
      FROM accounts.reset r
      LEFT JOIN accounts.account by ON by.id = r.asked_by
     WHERE r.id = :id AND r.needs_second AND r.code_hash IS NULL AND r.used_at IS NULL
       AND r.ended_at IS NULL AND (r.asked_by IS NULL OR by.status = 'active')
       AND r.expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
    """
)
_CONFIRM = text(
    """
    UPDATE accounts.reset
       SET confirmed_by = :by,
           confirmed_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id AND code_hash IS NULL AND ended_at IS NULL RETURNING 1
    """
)
_ISSUE = text(
    """
    UPDATE accounts.reset
       SET code_hash = :hash,
           expires_at = coalesce(cast(:now AS timestamptz), statement_timestamp()) + :life
     WHERE id = :id RETURNING expires_at
    """
)
_SHUT = text(
    """
    UPDATE accounts.account
       SET password_hash = NULL, password_until = NULL, totp_sealed = NULL,
           totp_confirmed_at = NULL, totp_step = NULL, next_totp_sealed = NULL,
           next_totp_until = NULL
     WHERE id = :id
    """
)


def ask_reset(
    session: Session,
    *,
    account_id: UUID,
    needs_second: bool,
    actor_kind: str,
    actor_id: UUID | None,
    now: datetime | None = None,
) -> Reset:
    """Shut an account and return the code that opens it, or propose to where two must agree.

    An earlier reset of the account is over. Raises ``NotFound``, ``OwnAccount``.
    """
    if actor_id == account_id:
        raise OwnAccount
    if session.scalar(_LOCK, {"id": account_id}) is None:
        raise NotFound
    session.execute(_END_OPEN, {"account_id": account_id, "now": now})
    facts = {"account_id": account_id, "asked_by": actor_id, "needs_second": needs_second}
    made = session.execute(_ASK, {**facts, "life": RESET, "now": now}).one()
    verb = "reset_proposed" if needs_second else "reset"
    record(session, _act(verb, actor_kind, actor_id, account_id, made.id))
    if needs_second:
        return Reset(id=made.id, account_id=account_id, expires_at=made.expires_at)
    return _issue(session, made.id, account_id, now)


def confirm_reset(
    session: Session,
    *,
    reset_id: UUID,
    actor_kind: str,
    actor_id: UUID,
    now: datetime | None = None,
) -> Reset:
    """Agree to a proposal: the account is shut and its code returned.

    Raises ``NotFound`` for what is not waiting, ``SecondPersonRequired``, ``OwnAccount``.
    """
    found = session.execute(_PROPOSAL, {"id": reset_id, "now": now}).first()
    if found is None:
        raise NotFound
    if are_one(session, actor_id, found.asked_by):
        raise SecondPersonRequired
    if are_one(session, actor_id, found.account_id):
        raise OwnAccount
    if session.scalar(_LOCK, {"id": found.account_id}) is None:
        raise NotFound
    # Read again under the account's lock: two who agree at once draw one code.
    if session.scalar(_CONFIRM, {"id": reset_id, "by": actor_id, "now": now}) is None:
        raise NotFound
    record(session, _act("reset", actor_kind, actor_id, found.account_id, reset_id))
    return _issue(session, reset_id, found.account_id, now)


def _issue(session: Session, reset_id: UUID, account_id: UUID, now: datetime | None) -> Reset:
    code = handed_codes.drawn()
    issued = {"id": reset_id, "hash": handed_codes.hash_of(code), "life": RESET, "now": now}
    expires_at = session.execute(_ISSUE, issued).scalar_one()
    session.execute(_SHUT, {"id": account_id})
    recovery_codes.forget_codes(session, account_id=account_id)
    sign_ins.end_others(session, account_id=account_id, keep=NONE, reason="reset", now=now)
    tell(session, account_id=account_id, what="reset")
    return Reset(id=reset_id, account_id=account_id, expires_at=expires_at, code=code)


# Also while whoever handed it out was being suspended: the code ends with that standing.
_OPEN = """
       r.code_hash = :hash AND r.used_at IS NULL AND r.ended_at IS NULL
   AND r.expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
   AND a.status <> 'closed'
   AND NOT EXISTS (SELECT 1 FROM accounts.account b
                    WHERE b.id IN (r.asked_by, r.confirmed_by) AND b.status <> 'active')
"""
_FIND = text(
    f"""
    SELECT a.id, a.username FROM accounts.reset r JOIN accounts.account a ON a.id = r.account_id
     WHERE {_OPEN}
    """  # noqa: S608 - a constant
)
_USE = text(
    f"""
    UPDATE accounts.reset r
       SET used_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
      FROM accounts.account a WHERE a.id = r.account_id AND {_OPEN}
    RETURNING r.id, r.account_id, a.kind
    """  # noqa: S608 - a constant
)
_SET = text(
    """
    UPDATE accounts.account
       SET password_hash = :new, password_until = NULL, failures = 0, locked_until = NULL,
           password_changed_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id
    """
)


def username_of(connection: Connection, *, code: str, now: datetime | None = None) -> str:
    """Return the user name a code is for. Raises ``ResetInvalid``."""
    return str(_found(connection, code, now).username)


def _found(connection: Connection | Session, code: str, now: datetime | None) -> Row[Any]:
    found = connection.execute(_FIND, {"hash": handed_codes.hash_of(code), "now": now}).first()
    if found is None:
        raise ResetInvalid(errors=[{"pointer": "/code", "code": "invalid"}])
    return found


def use_reset(
    session: Session, *, code: str, password_hash: str, now: datetime | None = None
) -> None:
    """Give the account a password; the first sign-in sets the authenticator up.

    It stands for nobody from then on: whose it is now, a citizen confirms anew. The update is the
    lock: a code works once. The account comes first, as in every reset. Raises ``ResetInvalid``.
    """
    session.execute(_LOCK, {"id": _found(session, code, now).id})
    asked = {"hash": handed_codes.hash_of(code), "now": now}
    used = session.execute(_USE, asked).first()
    if used is None:
        raise ResetInvalid(errors=[{"pointer": "/code", "code": "invalid"}])
    session.execute(_SET, {"id": used.account_id, "new": password_hash, "now": now})
    bindings.end_of_account(session, account_id=used.account_id, now=now)
    record(session, _act("reset_used", used.kind, used.account_id, used.account_id, used.id))


_WITHDRAW = text(
    """
    UPDATE accounts.reset SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE (asked_by = :id OR confirmed_by = :id) AND used_at IS NULL AND ended_at IS NULL
    """
)


def withdraw_of(session: Session, *, account_id: UUID, now: datetime | None = None) -> None:
    """End the open resets somebody handed out: with the role, its codes are over."""
    session.execute(_WITHDRAW, {"id": account_id, "now": now})


def _act(
    verb: str, actor_kind: str, actor_id: UUID | None, account_id: UUID, reset_id: UUID
) -> Act:
    return Act(
        actor_kind=actor_kind,
        actor_id=actor_id,
        action=f"accounts.{verb}",
        object_type="account",
        object_id=account_id,
        payload={"reset_id": reset_id},
    )
