"""Invite somebody to a role by a code; whoever brings it opens an account, or adds the role.

The code is shown once and only its hash is kept. It is over with the standing of who invited: a
manager who is dismissed or suspended leaves no way in behind.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, Row
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts import handed_codes
from citizen_cloud.accounts.services import open_account
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.errors import Forbidden, NotFound
from citizen_cloud.manifest import Role
from citizen_cloud.organisations.identity import invited_name_place, note_place
from citizen_cloud.organisations.refusals import InvitationInvalid
from citizen_cloud.organisations.services.actor import Actor
from citizen_cloud.organisations.services.memberships import add_member, check_open
from citizen_cloud.organisations.services.reach import check_reach
from citizen_cloud.web.caller import Grant

LIFE = timedelta(hours=72)


@dataclass(frozen=True, kw_only=True)
class Invited:
    """A fresh invitation; the code is known only now."""

    id: UUID
    role: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What an accepted invitation gave."""

    account_id: UUID
    membership_id: UUID
    organisation_id: UUID
    role: str


_INVITE = text(
    """
    INSERT INTO organisations.invitation
           (id, organisation_id, role, code_hash, display_name_sealed, note_sealed, invited_by,
            created_at, expires_at)
    SELECT :id, :organisation_id, :role, :hash, :name, :note, :by, t, t + :life
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    RETURNING expires_at
    """
)


def invite(
    session: Session,
    *,
    organisation_id: UUID,
    role: Role,
    grant: Grant,
    actor: Actor,
    display_name: str | None = None,
    note: str | None = None,
    now: datetime | None = None,
) -> Invited:
    """Offer a role at an organisation to whoever brings the code within 72 hours.

    Raises ``NotFound`` (also for somebody else's), ``RoleAboveOwn``, ``OrganisationClosed``.
    """
    check_reach(grant, organisation_id, role)
    check_open(session, organisation_id)
    invitation_id, code = new_id(), handed_codes.drawn()
    facts = {
        "id": invitation_id,
        "organisation_id": organisation_id,
        "role": role,
        "hash": handed_codes.hash_of(code),
        "name": _sealed(display_name, invited_name_place(invitation_id)),
        "note": _sealed(note, note_place(invitation_id)),
        "by": actor.id,
        "life": LIFE,
        "now": now,
    }
    expires_at = session.execute(_INVITE, facts).scalar_one()
    record(session, _act("invite", actor, invitation_id, organisation_id, role=role))
    return Invited(id=invitation_id, role=role, code=code, expires_at=expires_at)


def _sealed(words: str | None, place: str) -> bytes | None:
    return None if words is None else crypto.current().seal(words, place=place)


_FIND = text("SELECT organisation_id, role FROM organisations.invitation WHERE id = :id")
_REVOKE = text(
    """
    UPDATE organisations.invitation
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id AND accepted_at IS NULL AND revoked_at IS NULL
    RETURNING id
    """
)


def revoke_invitation(
    session: Session,
    *,
    invitation_id: UUID,
    grant: Grant,
    actor: Actor,
    now: datetime | None = None,
) -> None:
    """Take an invitation back. Raises ``NotFound`` (accepted ones too), ``RoleAboveOwn``."""
    found = session.execute(_FIND, {"id": invitation_id}).first()
    if found is None:
        raise NotFound
    check_reach(grant, found.organisation_id, found.role)
    if session.scalar(_REVOKE, {"id": invitation_id, "now": now}) is None:
        raise NotFound
    act = _act("revoke_invitation", actor, invitation_id, found.organisation_id, role=found.role)
    record(session, act)


# Who invited must still be somebody who may; the system itself may always.
_LIVE = """
       i.code_hash = :hash AND i.accepted_at IS NULL AND i.revoked_at IS NULL
   AND i.expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
   AND (i.invited_by IS NULL OR EXISTS (
        SELECT 1 FROM organisations.membership m JOIN accounts.account a ON a.id = m.account_id
         WHERE m.account_id = i.invited_by AND m.ended_at IS NULL AND a.status = 'active'
           AND (m.role = 'admin' OR (m.role = 'manager' AND i.role = 'staff'
                                     AND m.organisation_id = i.organisation_id))))
"""
_IS_LIVE = text(f"SELECT 1 FROM organisations.invitation i WHERE {_LIVE}")  # noqa: S608 - a constant
_CLAIM = text(
    f"""
    UPDATE organisations.invitation i
       SET accepted_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE {_LIVE}
    RETURNING i.id, i.organisation_id, i.role, i.display_name_sealed
    """  # noqa: S608 - a constant
)
# The name is the account's from now on; nothing needs it here.
_TAKEN = text(
    """
    UPDATE organisations.invitation
       SET account_id = :account_id, display_name_sealed = NULL, note_sealed = NULL
     WHERE id = :id
    """
)


def check_invitation(connection: Connection, *, code: str, now: datetime | None = None) -> None:
    """Refuse a code that is wrong, used, taken back or expired. Raises ``InvitationInvalid``."""
    if connection.scalar(_IS_LIVE, {"hash": handed_codes.hash_of(code), "now": now}) is None:
        raise InvitationInvalid(errors=[{"pointer": "/code", "code": "invalid"}])


def accept_as_new(
    session: Session,
    *,
    code: str,
    username: str,
    password_hash: str,
    now: datetime | None = None,
) -> Joined:
    """Open an account with the invited role; both or neither, and one account a code.

    Raises ``InvitationInvalid``, ``UsernameTaken``, ``OrganisationClosed``.
    """
    claimed = _claim(session, code, now)
    place = invited_name_place(claimed.id)
    sealed = claimed.display_name_sealed
    account_id = open_account(
        session,
        username=username,
        display_name=crypto.current().open(sealed, place=place) if sealed else username,
        kind="staff",
        password_hash=password_hash,
        now=now,
    )
    return _joined(session, claimed, Actor("staff", account_id))


def accept_as_member(
    session: Session, *, code: str, actor: Actor, now: datetime | None = None
) -> Joined:
    """Add the invited role to the account that is signed in.

    Raises ``InvitationInvalid``, ``Forbidden`` for citizens and administrators, ``RolesExclude``,
    ``AlreadyMember``, ``OrganisationClosed``.
    """
    if actor.kind != "staff":
        raise Forbidden
    return _joined(session, _claim(session, code, now), actor)


def _claim(session: Session, code: str, now: datetime | None) -> Row[Any]:
    """Use the code up; the update is the lock, so the second of two finds it used."""
    asked = {"hash": handed_codes.hash_of(code), "now": now}
    claimed = session.execute(_CLAIM, asked).first()
    if claimed is None:
        raise InvitationInvalid(errors=[{"pointer": "/code", "code": "invalid"}])
    return claimed


def _joined(session: Session, claimed: Row[Any], actor: Actor) -> Joined:
    account_id = actor.id
    if account_id is None:
        raise Forbidden
    membership_id = add_member(
        session,
        organisation_id=claimed.organisation_id,
        account_id=account_id,
        role=claimed.role,
        actor=actor,
    )
    session.execute(_TAKEN, {"id": claimed.id, "account_id": account_id})
    act = _act("accept_invitation", actor, claimed.id, claimed.organisation_id, role=claimed.role)
    record(session, act)
    return Joined(
        account_id=account_id,
        membership_id=membership_id,
        organisation_id=claimed.organisation_id,
        role=claimed.role,
    )


def _act(verb: str, actor: Actor, invitation_id: UUID, organisation_id: UUID, *, role: str) -> Act:
    return Act(
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=f"organisations.{verb}",
        object_type="invitation",
        object_id=invitation_id,
        organisation_id=organisation_id,
        payload={"role": role},
    )
