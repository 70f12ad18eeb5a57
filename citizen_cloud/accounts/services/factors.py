"""What staff sign in with: how it stands, and another authenticator in two steps."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import next_totp_place, totp_place
from citizen_cloud.accounts.refusals import TotpWrong
from citizen_cloud.accounts.rules import totp as rules
from citizen_cloud.accounts.rules.lifetimes import NEW_TOTP
from citizen_cloud.accounts.services import sign_ins
from citizen_cloud.accounts.services.factor_news import tell
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Forbidden

_FACTORS = text(
    """
    SELECT a.totp_confirmed_at IS NOT NULL AS totp, a.password_changed_at,
           (SELECT count(*) FROM accounts.recovery_code r
             WHERE r.account_id = a.id AND r.used_at IS NULL) AS recovery_codes_left
      FROM accounts.account a WHERE a.id = :id AND a.kind IN ('staff', 'admin')
    """
)
_BEGIN = text(
    """
    UPDATE accounts.account
       SET next_totp_sealed = :sealed,
           next_totp_until = coalesce(cast(:now AS timestamptz), statement_timestamp()) + :life
     WHERE id = :id AND kind IN ('staff', 'admin') AND totp_confirmed_at IS NOT NULL
    RETURNING username, next_totp_until
    """
)
_PENDING = text(
    """
    SELECT kind, next_totp_sealed, next_totp_until > t AS is_open, t AS at
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock,
           accounts.account
     WHERE id = :id AND kind IN ('staff', 'admin') FOR UPDATE OF account
    """
)
_REPLACE = text(
    """
    UPDATE accounts.account
       SET totp_sealed = :sealed, totp_confirmed_at = :t, totp_step = :step,
           next_totp_sealed = NULL, next_totp_until = NULL
     WHERE id = :id
    """
)


@dataclass(frozen=True, kw_only=True)
class NewTotp:
    """An authenticator to set up, until when."""

    secret: str
    otpauth_uri: str
    expires_at: datetime


def factors_of(connection: Connection, *, account_id: UUID) -> dict[str, Any]:
    """Return how an account's factors stand. Raises ``Forbidden`` for who signs in by phone."""
    row = connection.execute(_FACTORS, {"id": account_id}).mappings().first()
    if row is None:
        raise Forbidden
    return dict(row)


def begin_totp(session: Session, *, account_id: UUID, now: datetime | None = None) -> NewTotp:
    """Draw another authenticator's secret; the present one counts until it is confirmed.

    Raises ``Forbidden`` for accounts without an authenticator.
    """
    secret = rules.new_secret()
    sealed = crypto.current().seal(secret, place=next_totp_place(account_id))
    row = session.execute(
        _BEGIN, {"id": account_id, "sealed": sealed, "life": NEW_TOTP, "now": now}
    ).first()
    if row is None:
        raise Forbidden
    return NewTotp(
        secret=secret,
        otpauth_uri=rules.enrolment_uri(secret, row.username),
        expires_at=row.next_totp_until,
    )


def confirm_totp(
    session: Session,
    *,
    account_id: UUID,
    sign_in_id: UUID,
    code: str,
    now: datetime | None = None,
) -> None:
    """Put the new authenticator in the old one's place; every other sign-in ends.

    Raises ``TotpWrong``, ``Forbidden`` for who signs in by phone, ``Unauthenticated`` where the
    sign-in ended meanwhile.
    """
    row = session.execute(_PENDING, {"id": account_id, "now": now}).first()
    if row is None:
        raise Forbidden
    if not row.is_open:
        raise TotpWrong(errors=[{"pointer": "/totp", "code": "invalid"}])
    rings = crypto.current()
    secret = rings.open(row.next_totp_sealed, place=next_totp_place(account_id))
    step = rules.step_of(secret, code, row.at)
    if step is None:
        raise TotpWrong(errors=[{"pointer": "/totp", "code": "invalid"}])
    sign_ins.require_live(session, account_id=account_id, sign_in_id=sign_in_id)
    sealed = rings.seal(secret, place=totp_place(account_id))
    session.execute(_REPLACE, {"id": account_id, "sealed": sealed, "t": row.at, "step": step})
    sign_ins.end_others(
        session, account_id=account_id, keep=sign_in_id, reason="totp_replaced", now=now
    )
    act = Act(
        actor_kind=row.kind,
        actor_id=account_id,
        action="accounts.totp_replaced",
        object_type="account",
        object_id=account_id,
    )
    record(session, act)
    tell(session, account_id=account_id, what="totp_replaced")
