"""Give and end roles. A role counts from the next request on, and no longer than its row."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services import create_staff
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import NotFound
from citizen_cloud.manifest import Role
from citizen_cloud.organisations.models import Organisation
from citizen_cloud.organisations.refusals import (
    AlreadyMember,
    LastAdmin,
    OrganisationClosed,
    RoleAboveOwn,
)
from citizen_cloud.organisations.services.actor import Actor
from citizen_cloud.web.caller import Grant

ROLES: tuple[str, ...] = get_args(Role)
EVERYWHERE = Grant(everywhere=True)

_ADD = text(
    """
    INSERT INTO organisations.membership (account_id, organisation_id, role, granted_by)
    VALUES (:account_id, :organisation_id, :role, :granted_by)
    ON CONFLICT DO NOTHING RETURNING id
    """
)


def add_member(
    session: Session,
    *,
    organisation_id: UUID | None,
    account_id: UUID,
    role: Role,
    actor: Actor,
) -> UUID:
    """Give an account a role and return the membership's id.

    ``staff`` and ``manager`` belong to an organisation; ``admin`` and ``auditor`` to the platform,
    with no organisation. Raises ``NotFound``, ``OrganisationClosed``, ``AlreadyMember``.
    """
    if organisation_id is not None:
        _check_open(session, organisation_id)
    membership_id = session.scalar(
        _ADD,
        {
            "account_id": account_id,
            "organisation_id": organisation_id,
            "role": role,
            "granted_by": actor.id,
        },
    )
    if membership_id is None:
        raise AlreadyMember
    act = Act(
        actor_kind=actor.kind,
        actor_id=actor.id,
        action="organisations.grant_role",
        object_type="membership",
        object_id=membership_id,
        organisation_id=organisation_id,
        payload={"account_id": account_id, "role": role},
    )
    record(session, act)
    return UUID(str(membership_id))


def _check_open(session: Session, organisation_id: UUID) -> None:
    found = session.get(Organisation, organisation_id, with_for_update={"key_share": True})
    if found is None:
        raise NotFound
    if found.status == "closed":
        raise OrganisationClosed


@dataclass(frozen=True, kw_only=True)
class NewMember:
    """A fresh staff account; the password is shown this once and stored nowhere in clear."""

    membership_id: UUID
    account_id: UUID
    username: str
    one_time_password: str


def add_staff(
    session: Session,
    *,
    organisation_id: UUID,
    username: str,
    display_name: str,
    role: Role,
    grant: Grant,
    actor: Actor,
    now: datetime | None,
) -> NewMember:
    """Open a staff account and give it a role at an organisation.

    Somebody else's organisation looks absent (``NotFound``). Raises ``RoleAboveOwn`` where a
    manager would appoint a manager, and what accounts raises for a user name that is taken.
    """
    _check_reach(grant, organisation_id, role)
    _check_open(session, organisation_id)
    account_id, password = create_staff(
        session, username=username, display_name=display_name, kind="staff", now=now
    )
    membership_id = add_member(
        session, organisation_id=organisation_id, account_id=account_id, role=role, actor=actor
    )
    return NewMember(
        membership_id=membership_id,
        account_id=account_id,
        username=username,
        one_time_password=password,
    )


def _check_reach(grant: Grant, organisation_id: UUID | None, role: str) -> None:
    if grant.everywhere:
        return
    if organisation_id is None or not grant.covers(organisation_id):
        raise NotFound
    if role != "staff":
        raise RoleAboveOwn


_LIVE = text(
    "SELECT organisation_id, role FROM organisations.membership WHERE id = :id AND ended_at IS NULL"
)
# Every administrator's row, locked in one order: two administrators who dismiss each other at
# once queue here, and the second finds himself the last one.
_ADMINS = text(
    """
    SELECT m.id, a.status FROM organisations.membership m
      JOIN accounts.account a ON a.id = m.account_id
     WHERE m.role = 'admin' AND m.ended_at IS NULL
     ORDER BY m.id FOR UPDATE OF m
    """
)
_END = text(
    """
    UPDATE organisations.membership
       SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id AND ended_at IS NULL
    RETURNING account_id
    """
)


def end_membership(
    session: Session,
    *,
    membership_id: UUID,
    grant: Grant = EVERYWHERE,
    actor: Actor,
    now: datetime | None = None,
) -> None:
    """End a role; the account's next request is refused.

    Raises ``NotFound`` (also for somebody else's), ``RoleAboveOwn``, ``LastAdmin``.
    """
    found = session.execute(_LIVE, {"id": membership_id}).first()
    if found is None:
        raise NotFound
    _check_reach(grant, found.organisation_id, found.role)
    if found.role == "admin":
        _check_others(session, membership_id)
    account_id = session.scalar(_END, {"id": membership_id, "now": now})
    if account_id is None:
        raise NotFound
    act = Act(
        actor_kind=actor.kind,
        actor_id=actor.id,
        action="organisations.end_role",
        object_type="membership",
        object_id=membership_id,
        organisation_id=found.organisation_id,
        payload={"account_id": account_id, "role": found.role},
    )
    record(session, act)


def _check_others(session: Session, membership_id: UUID) -> None:
    admins = session.execute(_ADMINS).all()
    if not any(row.id != membership_id and row.status == "active" for row in admins):
        raise LastAdmin
