"""Who may decide: appointed by the machine or by those who decide already, and still standing.

A role is not enough, for an administrator hands roles out. Nor is the account: one that was reset
after the appointment may be in other hands, so the reset voids it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.approvals.refusals import NotEligible
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
"""
_STANDING_OF = text(
    f"""
    SELECT a.id, a.unit_id FROM approvals.approver a
     WHERE a.account_id = :account_id AND {STANDING}
    """  # noqa: S608 - a constant
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An appointment that counts now."""

    approver_id: UUID
    account_id: UUID
    unit_id: UUID


def standing_of(session: Session, account_id: UUID) -> Standing | None:
    """Return the appointment by which an account may decide now, if there is one."""
    found = session.execute(_STANDING_OF, {"account_id": account_id}).first()
    if found is None:
        return None
    return Standing(approver_id=found.id, account_id=account_id, unit_id=found.unit_id)


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
_END = text(
    """
    UPDATE approvals.approver
       SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp()), ended_by = :by
     WHERE account_id = :account_id AND ended_at IS NULL RETURNING id, unit_id
    """
)
_APPOINT = text(
    """
    INSERT INTO approvals.approver (account_id, unit_id, appointed_by, appointed_at)
    VALUES (:account_id, :unit_id, :by,
            coalesce(cast(:now AS timestamptz), statement_timestamp()))
    RETURNING id
    """
)


def check_eligible(session: Session, *, account_id: UUID, unit_id: UUID) -> None:
    """Refuse whoever is no active staff of an open public authority. Raises ``NotEligible``."""
    asked = {"account_id": account_id, "unit_id": unit_id}
    if session.scalar(_LOCK, asked) is None:
        raise NotEligible(errors=[{"pointer": "/payload/account_id", "code": "not_eligible"}])
    if session.scalar(_WORKS, asked) is None:
        raise NotEligible(errors=[{"pointer": "/payload/organisation_id", "code": "not_eligible"}])


_APPOINTED = text(
    "SELECT 1 FROM approvals.approver WHERE account_id = :account_id AND ended_at IS NULL"
)


def check_appointed(session: Session, *, account_id: UUID) -> None:
    """Refuse to dismiss whoever is not appointed. Raises ``NotEligible``."""
    if session.scalar(_APPOINTED, {"account_id": account_id}) is None:
        raise NotEligible(errors=[{"pointer": "/payload/account_id", "code": "not_eligible"}])


def appoint(
    session: Session,
    *,
    account_id: UUID,
    unit_id: UUID,
    proposal_id: UUID | None = None,
    now: datetime | None = None,
) -> UUID:
    """Appoint an approver; an earlier appointment of the account is over.

    Without a proposal it is the machine that appoints. Raises ``NotEligible``.
    """
    check_eligible(session, account_id=account_id, unit_id=unit_id)
    asked = {"account_id": account_id, "unit_id": unit_id, "by": proposal_id, "now": now}
    session.execute(_END, asked)
    approver_id: UUID = session.execute(_APPOINT, asked).scalar_one()
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
