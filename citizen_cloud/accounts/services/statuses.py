"""Suspend an account and reinstate it; its next request is answered accordingly."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud.accounts.refusals import OwnAccount
from citizen_cloud.accounts.services import sign_ins
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.accounts.services.factor_news import tell
from citizen_cloud.accounts.services.passwords import NONE
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import NotFound

Status = Literal["active", "suspended"]
NEWS: dict[Status, Literal["suspended", "reinstated"]] = {
    "suspended": "suspended",
    "active": "reinstated",
}

_LOCK = text(
    """
    SELECT kind, status, person_id FROM accounts.account
     WHERE id = :id AND status <> 'closed' FOR UPDATE
    """
)
_SET = text("UPDATE accounts.account SET status = :status WHERE id = :id")


def set_status(
    session: Session,
    *,
    account_id: UUID,
    status: Status,
    reason: str,
    actor_kind: str,
    actor_id: UUID | None,
    now: datetime | None = None,
) -> None:
    """Suspend an account or reinstate it; the same again changes nothing.

    Sign-ins of a suspended account are told why they are refused; reinstating ends them, so that
    nothing that was stolen before comes back to life. A citizen finds the act in the record of
    looks. Raises ``NotFound``, ``OwnAccount``.
    """
    if actor_id == account_id:
        raise OwnAccount
    found = session.execute(_LOCK, {"id": account_id}).first()
    if found is None:
        raise NotFound
    if found.status == status:
        return
    session.execute(_SET, {"id": account_id, "status": status})
    if status == "active":
        sign_ins.end_others(session, account_id=account_id, keep=NONE, reason="reinstated", now=now)
    note_change(session, found, actor_kind=actor_kind, actor_id=actor_id, now=now)
    act = Act(
        actor_kind=actor_kind,
        actor_id=actor_id,
        action=f"accounts.{NEWS[status]}",
        object_type="account",
        object_id=account_id,
        payload={"reason": reason},
    )
    record(session, act)
    tell(session, account_id=account_id, what=NEWS[status])


def note_change(
    session: Session,
    found: "Row[tuple[str, str, UUID | None]]",
    *,
    actor_kind: str,
    actor_id: UUID | None,
    now: datetime | None,
) -> None:
    """Let a citizen see who changed the account."""
    if found.person_id is None:
        return
    look = Look(
        person_id=found.person_id,
        reader_kind=actor_kind,
        reader_id=actor_id,
        purpose="accounts.suspend",
        categories=("account",),
        basis_type="none",
        outcome="changed",
    )
    note_access(session, look, now=now)
