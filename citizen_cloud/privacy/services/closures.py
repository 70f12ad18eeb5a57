"""A citizen's wish to leave: asked for, thought over, undone or carried out."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.closing import end_all
from citizen_cloud.audit.services import Act, record
from citizen_cloud.clock import local_day
from citizen_cloud.db import new_id, rows_changed
from citizen_cloud.errors import NotFound
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.privacy.refusals import ClosureInProgress, StaffCannotClose
from citizen_cloud.privacy.rules import CERTIFICATE_LIFE
from citizen_cloud.text import Text

SECRET_BYTES = 32
ASKED = Text("账号注销已受理", "Your account will be closed")
ASKED_BODY = Text(
    "您的账号将于 {on} 注销，届时未使用的预约将取消。如非本人操作，请登录撤销。",
    "Your account is closed on {on}; bookings ahead are cancelled then. If it was not you who "
    "asked, sign in and undo it.",
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A closure and its secret, which is shown this once."""

    closure: dict[str, Any]
    secret: str


def secret_hash(secret: str) -> bytes:
    """Hash a closure's secret; it has 256 random bits, so a plain hash reveals nothing."""
    return hashlib.sha256(secret.encode()).digest()


_ASK = text(
    """
    INSERT INTO privacy.closure
           (id, account_id, person_id, reason, secret_hash, requested_at, due_at)
    SELECT :id, a.id, a.person_id, cast(:reason AS varchar), :secret_hash, t.at, t.at + :cool_off
      FROM accounts.account a,
           (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
     WHERE a.id = :account_id
    ON CONFLICT (account_id) WHERE status IN ('cooling', 'closing') DO NOTHING
    RETURNING id, status, requested_at, due_at
    """
)


def request_closure(
    session: Session,
    *,
    account_id: UUID,
    kind: str,
    reason: str | None,
    cool_off: timedelta,
    now: datetime | None = None,
) -> Asked:
    """Close an account after a time to think it over; every sign-in ends at once.

    The phone is told, so that nobody else's wish passes unseen. Raises ``StaffCannotClose``,
    ``ClosureInProgress``.
    """
    if kind != "citizen":
        raise StaffCannotClose
    secret = secrets.token_urlsafe(SECRET_BYTES)
    asked = {
        "id": new_id(),
        "account_id": account_id,
        "reason": reason,
        "secret_hash": secret_hash(secret),
        "cool_off": cool_off,
        "now": now,
    }
    row = session.execute(_ASK, asked).mappings().first()
    if row is None:
        raise ClosureInProgress
    end_all(session, account_id=account_id, reason="closure_requested", now=now)
    notify(session, note=_asked_note(row, account_id), now=row["requested_at"])
    record(session, act("closure_requested", row["id"], account_id))
    return Asked(closure=dict(row), secret=secret)


def _asked_note(row: RowMapping, account_id: UUID) -> Note:
    return Note(
        account_id=account_id,
        kind="privacy.closure_requested",
        title=ASKED,
        body=ASKED_BODY.filled(on=local_day(row["due_at"]).isoformat()),
        dedupe_key=f"privacy.closure_requested:{row['id']}",
        subject_type="closure",
        subject_id=row["id"],
        sms=True,
    )


_OWN = text(
    """
    SELECT id, status, requested_at, due_at FROM privacy.closure
     WHERE account_id = :account_id AND status = 'cooling'
    """
)
_UNDO = text(
    """
    UPDATE privacy.closure
       SET status = 'undone',
           ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE account_id = :account_id AND status = 'cooling' RETURNING id
    """
)


_SHUT = text("SELECT 1 FROM privacy.closure WHERE account_id = :account_id AND status = 'closing'")


def own_closure(session: Session, *, account_id: UUID) -> dict[str, Any] | None:
    """Return the closure of an account that can still be undone, None where there is none."""
    row = session.execute(_OWN, {"account_id": account_id}).mappings().first()
    return None if row is None else dict(row)


def undo_closure(session: Session, *, account_id: UUID, now: datetime | None = None) -> bool:
    """Stay after all; False where nothing was under way.

    Raises ``ClosureInProgress`` where the account is shut already: that nobody undoes.
    """
    closure_id = session.scalar(_UNDO, {"account_id": account_id, "now": now})
    if closure_id is None:
        if session.scalar(_SHUT, {"account_id": account_id}):
            raise ClosureInProgress
        return False
    record(session, act("closure_undone", closure_id, account_id))
    return True


_CERTIFICATE = text(
    """
    SELECT status, due_at, ended_at, certificate FROM privacy.closure
     WHERE id = :id AND secret_hash = :secret_hash
    """
)


def certificate_of(session: Session, *, closure_id: UUID, secret: str) -> dict[str, Any]:
    """Return what became of a closure, for whoever was given its secret. Raises ``NotFound``."""
    asked = {"id": closure_id, "secret_hash": secret_hash(secret)}
    row = session.execute(_CERTIFICATE, asked).mappings().first()
    if row is None:
        raise NotFound
    return dict(row)


def act(verb: str, closure_id: UUID, account_id: UUID | None) -> Act:
    """Return the audit entry of a step of a closure."""
    return Act(
        actor_kind="system" if account_id is None else "citizen",
        actor_id=account_id,
        action=f"privacy.{verb}",
        object_type="closure",
        object_id=closure_id,
    )


def forget_old(session: Session, *, now: datetime | None = None) -> int:
    """Delete closures that ended three years ago, certificates with them; return how many."""
    sql = text(
        """
        DELETE FROM privacy.closure
         WHERE ended_at < coalesce(cast(:now AS timestamptz), statement_timestamp()) - :keep
        """
    )
    asked = {"now": now, "keep": CERTIFICATE_LIFE}
    return rows_changed(session, sql, asked)
