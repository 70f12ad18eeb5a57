"""Give and end roles. A role counts from the next request on, and no longer than its row."""

from datetime import datetime
from typing import get_args
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import NotFound
from citizen_cloud.manifest import Role
from citizen_cloud.organisations.models import Organisation
from citizen_cloud.organisations.refusals import (
    AlreadyMember,
    LastAdmin,
    OrganisationClosed,
    RolesExclude,
)
from citizen_cloud.organisations.services.actor import Actor
from citizen_cloud.organisations.services.handing_out import withdraw_all
from citizen_cloud.organisations.services.reach import check_reach
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
    with no organisation. Who looks after the platform serves nobody, and who audits does nothing
    else. Raises ``NotFound``, ``OrganisationClosed``, ``AlreadyMember``, ``RolesExclude``.
    """
    _check_apart(session, account_id, role)
    if organisation_id is not None:
        check_open(session, organisation_id)
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


def check_open(session: Session, organisation_id: UUID) -> None:
    """Refuse a place that is absent or has closed. Raises ``NotFound``, ``OrganisationClosed``."""
    found = session.get(Organisation, organisation_id, with_for_update={"key_share": True})
    if found is None:
        raise NotFound
    if found.status == "closed":
        raise OrganisationClosed


# The same is held by the table's key and trigger; here it gets its words.
_HELD = text(
    """
    SELECT a.kind, coalesce(bool_or(m.role = 'auditor'), false) AS audits,
           coalesce(bool_or(m.role <> 'auditor'), false) AS works
      FROM accounts.account a
      LEFT JOIN organisations.membership m ON m.account_id = a.id AND m.ended_at IS NULL
     WHERE a.id = :id GROUP BY a.kind
    """
)
_LOCK = text("SELECT 1 FROM accounts.account WHERE id = :id FOR NO KEY UPDATE")


def _check_apart(session: Session, account_id: UUID, role: str) -> None:
    session.execute(_LOCK, {"id": account_id})
    held = session.execute(_HELD, {"id": account_id}).first()
    if held is None:
        raise NotFound
    wanted = "admin" if role == "admin" else "staff"
    others = held.works if role == "auditor" else held.audits
    if held.kind != wanted or others:
        raise RolesExclude


_LIVE = text(
    """
    SELECT organisation_id, account_id, role FROM organisations.membership
     WHERE id = :id AND ended_at IS NULL
    """
)
# Every administrator's row, locked in one order: two administrators who dismiss or suspend each
# other at once queue here. Who waited reads in a second statement, which sees what the first did.
_LOCK_ADMINS = text(
    """
    SELECT 1 FROM organisations.membership m
     WHERE m.role = 'admin' AND m.ended_at IS NULL ORDER BY m.id FOR UPDATE OF m
    """
)
_OTHER_ADMINS = text(
    """
    SELECT count(*) FROM organisations.membership m
      JOIN accounts.account a ON a.id = m.account_id
     WHERE m.role = 'admin' AND m.ended_at IS NULL AND a.status = 'active'
       AND m.account_id <> :id
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
    check_reach(grant, found.organisation_id, found.role)
    if found.role == "admin":
        check_other_admins(session, found.account_id)
    account_id = session.scalar(_END, {"id": membership_id, "now": now})
    if account_id is None:
        raise NotFound
    # Codes this role handed out must not outlive it.
    withdraw_all(session, account_id=account_id, organisation_id=found.organisation_id, now=now)
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


def check_other_admins(session: Session, account_id: UUID) -> None:
    """Refuse to lose the last administrator who can act. Raises ``LastAdmin``."""
    session.execute(_LOCK_ADMINS)
    if not session.scalar(_OTHER_ADMINS, {"id": account_id}):
        raise LastAdmin
