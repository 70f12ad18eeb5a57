"""Open a sign-in and end it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts import refresh_tokens, tokens
from citizen_cloud.accounts.refresh_tokens import RefreshToken
from citizen_cloud.accounts.rules.lifetimes import LIFETIMES
from citizen_cloud.accounts.services.devices import SIGN_INS_ENDED, Registered
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id, rows_changed
from citizen_cloud.errors import Unauthenticated
from citizen_cloud.jobs.services import announce


@dataclass(frozen=True, kw_only=True)
class Issued:
    """What a successful grant gives."""

    access_token: str
    expires_in: int
    refresh_token: str
    device: Registered


_OPEN = text(
    """
    INSERT INTO accounts.sign_in
           (id, account_id, device_id, amr, refresh_hash, rotated_at, created_at, expires_at,
            idle_expires_at, proved_at)
    SELECT :id, :account_id, :device_id, :amr, :hash, t, t, t + :total, t + :idle,
           CASE WHEN :fresh THEN t ELSE to_timestamp(0) END
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    RETURNING created_at
    """
)


def open_sign_in(
    session: Session,
    *,
    account_id: UUID,
    kind: str,
    device: Registered,
    amr: str,
    fresh: bool = True,
    now: datetime | None = None,
) -> Issued:
    """Begin a sign-in on a device and record it; ``amr`` names the factors (RFC 8176).

    ``fresh=False`` where nobody showed anything just now: another app vouched silently, so doors
    marked fresh still ask for a factor.
    """
    lifetime = LIFETIMES[kind]
    first = refresh_tokens.first(new_id())
    t: datetime = session.execute(
        _OPEN,
        {
            "id": first.sign_in_id,
            "account_id": account_id,
            "device_id": device.id,
            "amr": amr,
            "hash": first.hash,
            "total": lifetime.total,
            "idle": lifetime.idle,
            "fresh": fresh,
            "now": now,
        },
    ).scalar_one()
    record(session, act("signed_in", kind, account_id, first.sign_in_id, {"amr": amr}))
    return issued(first, account_id=account_id, device=device, now=t)


def issued(
    refresh: RefreshToken,
    *,
    account_id: UUID,
    device: Registered,
    now: datetime,
    seconds: int = tokens.LIFE_S,
) -> Issued:
    """Write down both tokens of a sign-in; neither outlives it."""
    life_s = min(seconds, tokens.LIFE_S)
    access = tokens.issue(
        account_id=account_id, sign_in_id=refresh.sign_in_id, now=now, seconds=life_s
    )
    return Issued(
        access_token=access, expires_in=life_s, refresh_token=refresh.written(), device=device
    )


_REVOKE = text(
    """
    UPDATE accounts.sign_in
       SET revoked_at = coalesce(:now, statement_timestamp()), revoked_because = :reason
     WHERE id = :id AND revoked_at IS NULL
    """
)


def revoke(
    session: Session | Connection, *, sign_in_id: UUID, reason: str, now: datetime | None = None
) -> None:
    """End one sign-in for a reason; the first reason stays."""
    session.execute(_REVOKE, {"id": sign_in_id, "reason": reason, "now": now})


def sign_out(
    session: Session, *, account_id: UUID, sign_in_id: UUID, kind: str, now: datetime | None = None
) -> None:
    """End a sign-in; its tokens are refused from the next request on."""
    revoke(session, sign_in_id=sign_in_id, reason="signed_out", now=now)
    announce(session, SIGN_INS_ENDED, {"account_id": account_id}, lane="urgent")
    record(session, act("signed_out", kind, account_id, sign_in_id, {}))


# Weaker than FOR UPDATE on purpose: a sign-in under way inserts rows that point at the account.
_HOLD = text("SELECT 1 FROM accounts.account WHERE id = :id FOR NO KEY UPDATE")
_LIVES = text("SELECT 1 FROM accounts.sign_in WHERE id = :id AND revoked_at IS NULL FOR SHARE")


def require_live(session: Session, *, account_id: UUID, sign_in_id: UUID) -> None:
    """Let pass a sign-in that did not end since the gate let it in, until the commit.

    For what changes a way in: a request under way must not undo the recovery, reset or sign-out
    that it waited for. The account is locked first, as by all that end its sign-ins. Raises
    ``Unauthenticated``.
    """
    session.execute(_HOLD, {"id": account_id})
    if session.scalar(_LIVES, {"id": sign_in_id}) is None:
        raise Unauthenticated


_REVOKE_OTHERS = text(
    """
    UPDATE accounts.sign_in
       SET revoked_at = coalesce(:now, statement_timestamp()), revoked_because = :reason
     WHERE account_id = :account_id AND revoked_at IS NULL
       AND (cast(:keep AS uuid) IS NULL OR id <> :keep)
    """
)
_PROVED = text(
    """
    UPDATE accounts.sign_in SET proved_at = coalesce(:now, statement_timestamp())
     WHERE id = :id AND revoked_at IS NULL
    """
)


def end_others(
    session: Session | Connection,
    *,
    account_id: UUID,
    keep: UUID | None,
    reason: str,
    now: datetime | None = None,
) -> None:
    """End every other sign-in of an account; all of them where none is kept."""
    session.execute(_HOLD, {"id": account_id})
    asked = {"account_id": account_id, "keep": keep, "reason": reason, "now": now}
    if rows_changed(session, _REVOKE_OTHERS, asked):
        announce(session, SIGN_INS_ENDED, {"account_id": account_id}, lane="urgent")


def sign_out_everywhere(
    session: Session,
    *,
    account_id: UUID,
    sign_in_id: UUID,
    kind: str,
    keep_this: bool,
    now: datetime | None = None,
) -> None:
    """End every sign-in of an account, on request all but the one that asks."""
    keep = sign_in_id if keep_this else None
    end_others(session, account_id=account_id, keep=keep, reason="signed_out", now=now)
    facts: dict[str, object] = {"kept_this": keep_this}
    record(session, act("signed_out_everywhere", kind, account_id, sign_in_id, facts))


def note_proof(
    session: Session,
    *,
    account_id: UUID,
    sign_in_id: UUID,
    kind: str,
    amr: str,
    now: datetime | None = None,
) -> None:
    """Write down that the factors were shown again; doors marked ``fresh`` open for a while."""
    session.execute(_PROVED, {"id": sign_in_id, "now": now})
    record(session, act("stepped_up", kind, account_id, sign_in_id, {"amr": amr}))


_REVOKE_BY_FACTOR = text(
    """
    UPDATE accounts.sign_in
       SET revoked_at = coalesce(:now, statement_timestamp()), revoked_because = :reason
     WHERE account_id = :account_id AND :factor = ANY(string_to_array(amr, ' '))
       AND revoked_at IS NULL
    """
)


def end_by_factor(
    session: Session | Connection,
    *,
    account_id: UUID,
    factor: str,
    reason: str,
    now: datetime | None = None,
) -> None:
    """End every sign-in of an account that rests on a factor it no longer has."""
    asked = {"account_id": account_id, "factor": factor, "reason": reason, "now": now}
    if rows_changed(session, _REVOKE_BY_FACTOR, asked):
        announce(session, SIGN_INS_ENDED, {"account_id": account_id}, lane="urgent")


def act(
    verb: str, kind: str, account_id: UUID, sign_in_id: UUID, payload: dict[str, object]
) -> Act:
    """Return the audit entry of something that happened to a sign-in."""
    return Act(
        actor_kind=kind,
        actor_id=account_id,
        action=f"accounts.{verb}",
        object_type="sign_in",
        object_id=sign_in_id,
        payload=payload,
    )
