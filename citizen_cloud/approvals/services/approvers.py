"""Who may decide: appointed by the machine's owner or by those who decide, and still standing.

A role is not enough, for an administrator hands roles out. Nor is the account: one that was reset
after the appointment may be in other hands, so the reset voids it. An approver is a person: the
account was bound to one, and still is; and whatever his accounts, a person is appointed once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.standing_for import is_bound
from citizen_cloud.approvals.refusals import NobodyBound, NotEligible
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import NotFound

# ``a`` is a row of approvals.approver. Whoever left the unit and came back is appointed anew.
STANDING = """
       a.ended_at IS NULL
   AND EXISTS (SELECT FROM accounts.account k
                WHERE k.id = a.account_id AND k.kind = 'staff' AND k.status = 'active')
   AND EXISTS (SELECT FROM organisations.organisation o
                WHERE o.id = a.unit_id AND o.kind = 'authority' AND o.status = 'active')
   AND EXISTS (SELECT FROM organisations.membership m
                WHERE m.account_id = a.account_id AND m.organisation_id = a.unit_id
                  AND m.ended_at IS NULL AND m.role IN ('staff', 'manager')
                  AND m.created_at <= a.appointed_at)
   AND NOT EXISTS (SELECT FROM accounts.reset r
                    WHERE r.account_id = a.account_id AND r.used_at > a.appointed_at)
   AND EXISTS (SELECT FROM accounts.binding b
                WHERE b.id = a.binding_id AND b.ended_at IS NULL)
"""
_STANDING_OF = text(
    f"""
    SELECT a.id, a.unit_id,
           (SELECT b.person_id FROM accounts.binding b WHERE b.id = a.binding_id) AS person_id
      FROM approvals.approver a
     WHERE a.account_id = :account_id AND {STANDING}
    """  # noqa: S608 - a constant
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An appointment that counts now."""

    approver_id: UUID
    account_id: UUID
    person_id: UUID
    unit_id: UUID


def standing_of(session: Session, account_id: UUID) -> Standing | None:
    """Return the appointment by which an account may decide now, if there is one."""
    found = session.execute(_STANDING_OF, {"account_id": account_id}).first()
    if found is None:
        return None
    return Standing(
        approver_id=found.id,
        account_id=account_id,
        person_id=found.person_id,
        unit_id=found.unit_id,
    )


# The account's row is the lock: two appointments of one account follow each other.
_LOCK = text(
    """
    SELECT 1 FROM accounts.account
     WHERE id = :account_id AND kind = 'staff' AND status = 'active' FOR NO KEY UPDATE
    """
)
_WORKS = text(
    """
    SELECT 1 FROM organisations.membership m
      JOIN organisations.organisation o ON o.id = m.organisation_id
     WHERE m.account_id = :account_id AND m.organisation_id = :unit_id AND m.ended_at IS NULL
       AND m.role IN ('staff', 'manager') AND o.kind = 'authority' AND o.status = 'active'
    """
)
# Nor are two accounts of one person appointed at once.
_LOCK_PERSON = text(
    """
    SELECT 1 FROM accounts.binding b JOIN accounts.person p ON p.id = b.person_id
     WHERE b.account_id = :account_id AND b.ended_at IS NULL FOR NO KEY UPDATE OF p
    """
)
# By the machine's owner alone: the application's role may not write these rows.
_END_OTHERS = text(
    """
    UPDATE approvals.approver a
       SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE a.ended_at IS NULL
       AND (a.account_id = :account_id OR a.binding_id IN (
            SELECT b.id FROM accounts.binding b JOIN accounts.binding own
                ON own.person_id = b.person_id AND own.account_id = :account_id
             WHERE own.bound_at IS NOT NULL AND own.ended_at IS NULL))
    """
)
_APPOINT = text(
    """
    INSERT INTO approvals.approver (account_id, unit_id, binding_id, appointed_at)
    SELECT b.account_id, :unit_id, b.id,
           coalesce(cast(:now AS timestamptz), statement_timestamp())
      FROM accounts.binding b
     WHERE b.account_id = :account_id AND b.bound_at IS NOT NULL AND b.ended_at IS NULL
    RETURNING id
    """
)
# By those who decide: the database asks for itself who agreed, and to whom.
_APPOINT_AGREED = text("SELECT approvals.appoint_agreed(:proposal_id)")
_END = text(
    """
    UPDATE approvals.approver
       SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp()), ended_by = :by
     WHERE account_id = :account_id AND ended_at IS NULL RETURNING id, unit_id
    """
)


def check_eligible(session: Session, *, account_id: UUID, unit_id: UUID) -> None:
    """Refuse whoever is no active staff of an open public authority, or nobody in particular.

    Raises ``NotEligible``, ``NobodyBound``.
    """
    asked = {"account_id": account_id, "unit_id": unit_id}
    if session.scalar(_LOCK, asked) is None:
        raise NotEligible(errors=[{"pointer": "/payload/account_id", "code": "not_eligible"}])
    if session.scalar(_WORKS, asked) is None:
        raise NotEligible(errors=[{"pointer": "/payload/organisation_id", "code": "not_eligible"}])
    if not is_bound(session, account_id):
        raise NobodyBound(errors=[{"pointer": "/payload/account_id", "code": "not_bound"}])


_APPOINTED = text(
    "SELECT 1 FROM approvals.approver WHERE account_id = :account_id AND ended_at IS NULL"
)


def check_appointed(session: Session, *, account_id: UUID) -> None:
    """Refuse to dismiss whoever is not appointed. Raises ``NotEligible``."""
    if session.scalar(_APPOINTED, {"account_id": account_id}) is None:
        raise NotEligible(errors=[{"pointer": "/payload/account_id", "code": "not_eligible"}])


def appoint(
    session: Session, *, account_id: UUID, unit_id: UUID, now: datetime | None = None
) -> UUID:
    """Appoint an approver in the name of the machine's owner, on a connection of his.

    An earlier appointment of the account, or of its person, is over. Raises ``NotEligible``,
    ``NobodyBound``.
    """
    check_eligible(session, account_id=account_id, unit_id=unit_id)
    asked = {"account_id": account_id, "unit_id": unit_id, "now": now}
    session.execute(_LOCK_PERSON, asked)
    session.execute(_END_OTHERS, asked)
    approver_id: UUID = session.execute(_APPOINT, asked).scalar_one()
    record(session, _act("appoint", approver_id, unit_id, account_id, None))
    return approver_id


def appoint_agreed(session: Session, *, account_id: UUID, unit_id: UUID, proposal_id: UUID) -> UUID:
    """Appoint whom an open proposal names to which enough people agreed.

    An earlier appointment of the account, or of its person, is over. Raises ``NotEligible``,
    ``NobodyBound``.
    """
    check_eligible(session, account_id=account_id, unit_id=unit_id)
    approver_id: UUID = session.execute(_APPOINT_AGREED, {"proposal_id": proposal_id}).scalar_one()
    record(session, _act("appoint", approver_id, unit_id, account_id, proposal_id))
    return approver_id


def dismiss(
    session: Session,
    *,
    account_id: UUID,
    proposal_id: UUID | None = None,
    now: datetime | None = None,
) -> None:
    """End an appointment; what the account agreed to counts no more where it is still open.

    Raises ``NotFound``.
    """
    asked = {"account_id": account_id, "by": proposal_id, "now": now}
    ended = session.execute(_END, asked).first()
    if ended is None:
        raise NotFound
    record(session, _act("dismiss", ended.id, ended.unit_id, account_id, proposal_id))


def _act(
    verb: str, approver_id: UUID, unit_id: UUID, account_id: UUID, proposal_id: UUID | None
) -> Act:
    payload: dict[str, Any] = {"account_id": account_id, "proposal_id": proposal_id}
    return Act(
        # Nobody is signed in at a terminal; a proposal is carried out by the system.
        actor_kind="operator" if proposal_id is None else "system",
        actor_id=None,
        action=f"approvals.{verb}",
        object_type="approver",
        object_id=approver_id,
        organisation_id=unit_id,
        payload=payload,
    )
