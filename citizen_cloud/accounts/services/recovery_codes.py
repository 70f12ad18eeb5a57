"""Ten codes that stand in for a lost authenticator, each once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts import handed_codes
from citizen_cloud.accounts.rules.lifetimes import RECOVERY_CODES
from citizen_cloud.accounts.services import sign_ins
from citizen_cloud.accounts.services.factor_news import tell
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Forbidden

# The row's lock makes two new sets queue, and a code being spent finish first.
_OWNER = text(
    """
    SELECT kind FROM accounts.account
     WHERE id = :id AND kind IN ('staff', 'admin') AND totp_confirmed_at IS NOT NULL FOR UPDATE
    """
)
_FORGET = text("DELETE FROM accounts.recovery_code WHERE account_id = :account_id")
_ADD = text(
    """
    INSERT INTO accounts.recovery_code (account_id, code_hash, created_at)
    SELECT :account_id, unnest(cast(:hashes AS bytea[])),
           coalesce(cast(:now AS timestamptz), statement_timestamp())
    """
)
_SPEND = text(
    """
    UPDATE accounts.recovery_code SET used_at = :at
     WHERE account_id = :account_id AND code_hash = :hash AND used_at IS NULL RETURNING 1
    """
)
_LEFT = text(
    """
    SELECT count(*) FROM accounts.recovery_code
     WHERE account_id = :account_id AND used_at IS NULL
    """
)


def draw_codes(
    session: Session, *, account_id: UUID, sign_in_id: UUID, now: datetime | None = None
) -> list[str]:
    """Replace the account's codes by ten new ones and return them, once.

    Raises ``Forbidden`` for accounts without an authenticator (citizens have none), and
    ``Unauthenticated`` where the sign-in ended meanwhile.
    """
    kind = session.scalar(_OWNER, {"id": account_id})
    if kind is None:
        raise Forbidden
    sign_ins.require_live(session, account_id=account_id, sign_in_id=sign_in_id)
    codes = [handed_codes.drawn_to_type() for _ in range(RECOVERY_CODES)]
    hashes = [handed_codes.hash_of_typed(code) for code in codes]
    forget_codes(session, account_id=account_id)
    session.execute(_ADD, {"account_id": account_id, "hashes": hashes, "now": now})
    record(session, _act("recovery_codes_drawn", kind, account_id))
    tell(session, account_id=account_id, what="recovery_codes_drawn")
    return codes


def forget_codes(session: Session, *, account_id: UUID) -> None:
    """Make every code of an account worthless."""
    session.execute(_FORGET, {"account_id": account_id})


def spend(session: Session, *, account_id: UUID, kind: str, code: str, at: datetime) -> bool:
    """Use one code up, tell its owner and return True; False for any other code.

    The caller holds the lock on the account's row.
    """
    asked = {"account_id": account_id, "hash": handed_codes.hash_of_typed(code), "at": at}
    if session.scalar(_SPEND, asked) is None:
        return False
    left = session.scalar(_LEFT, {"account_id": account_id})
    record(session, _act("recovery_code_used", kind, account_id, left=left))
    tell(session, account_id=account_id, what="recovery_code_used", left=left)
    return True


def _act(verb: str, kind: str, account_id: UUID, **payload: object) -> Act:
    return Act(
        actor_kind=kind,
        actor_id=account_id,
        action=f"accounts.{verb}",
        object_type="account",
        object_id=account_id,
        payload=payload,
    )
