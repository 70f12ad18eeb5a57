"""What managers and administrators do to accounts: look, reset, suspend and reinstate."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services import resets, statuses
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.accounts.services.resets import Reset
from citizen_cloud.accounts.services.statuses import Status
from citizen_cloud.errors import NotFound
from citizen_cloud.organisations import queries
from citizen_cloud.organisations.services.actor import Actor
from citizen_cloud.organisations.services.handing_out import withdraw_all
from citizen_cloud.organisations.services.memberships import check_other_admins
from citizen_cloud.organisations.services.reach import check_account_reach
from citizen_cloud.web.caller import Grant

# Whoever takes such an account over reaches the whole platform: one person alone must not.
_LOOKS_AFTER = text(
    """
    SELECT a.kind = 'admin' OR EXISTS (
           SELECT 1 FROM organisations.membership m
            WHERE m.account_id = a.id AND m.organisation_id IS NULL AND m.ended_at IS NULL)
      FROM accounts.account a WHERE a.id = :id
    """
)
_IS_ADMIN = text(
    """
    SELECT 1 FROM organisations.membership
     WHERE account_id = :id AND role = 'admin' AND ended_at IS NULL
    """
)


def look_at_account(session: Session, *, account_id: UUID, actor: Actor) -> dict[str, Any]:
    """Return how an account stands and what it may; nothing about the person.

    A citizen finds the look in the own record of looks all the same. Raises ``NotFound``.
    """
    found = queries.account(session, account_id)
    if found is None:
        raise NotFound
    if found["person_id"] is not None:
        look = Look(
            person_id=found["person_id"],
            reader_kind=actor.kind,
            reader_id=actor.id,
            purpose="accounts.read",
            categories=("account",),
            basis_type="none",
        )
        note_access(session, look)
    return found


def reset_account(
    session: Session, *, account_id: UUID, grant: Grant, actor: Actor, now: datetime | None = None
) -> Reset:
    """Shut an account and return its code; for administrators and auditors only propose to.

    Raises ``NotFound``, ``RoleAboveOwn``, ``WorksElsewhere``, ``OwnAccount``.
    """
    check_account_reach(session, grant, account_id)
    return resets.ask_reset(
        session,
        account_id=account_id,
        needs_second=bool(session.scalar(_LOOKS_AFTER, {"id": account_id})),
        actor_kind=actor.kind,
        actor_id=actor.id,
        now=now,
    )


def change_status(
    session: Session,
    *,
    account_id: UUID,
    status: Status,
    reason: str,
    grant: Grant,
    actor: Actor,
    now: datetime | None = None,
) -> None:
    """Suspend an account, or reinstate it; what it handed out is over with it.

    Raises ``NotFound``, ``RoleAboveOwn``, ``WorksElsewhere``, ``OwnAccount``, ``LastAdmin``.
    """
    check_account_reach(session, grant, account_id)
    if status == "suspended":
        if session.scalar(_IS_ADMIN, {"id": account_id}) is not None:
            check_other_admins(session, account_id)
        withdraw_all(session, account_id=account_id, now=now)
    statuses.set_status(
        session,
        account_id=account_id,
        status=status,
        reason=reason,
        actor_kind=actor.kind,
        actor_id=actor.id,
        now=now,
    )
