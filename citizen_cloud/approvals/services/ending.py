"""Every way a proposal ends, and the news of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.approvals import sealing
from citizen_cloud.approvals.refusals import ProposalOver
from citizen_cloud.approvals.services.recording import By, act, clock
from citizen_cloud.audit.services import record
from citizen_cloud.errors import NotFound
from citizen_cloud.jobs.services import announce

APPLIED = "approvals.applied"
REJECTED = "approvals.rejected"
WITHDRAWN = "approvals.withdrawn"
EXPIRED = "approvals.expired"
FAILED = "approvals.failed"

_END = text(
    """
    UPDATE approvals.proposal
       SET status = :status, outcome = cast(:outcome AS jsonb), ended_at = :now,
           version = version + 1
     WHERE id = :id
    """
)


def end(
    session: Session,
    row: Row[Any],
    *,
    status: str,
    event: str,
    outcome: Mapping[str, Any] | None = None,
    by: By | None = None,
    now: datetime,
) -> None:
    """End a proposal whose row is locked: its state, the audit trail and the news together."""
    said = None if outcome is None else sealing.written(outcome)
    session.execute(_END, {"id": row.id, "status": status, "outcome": said, "now": now})
    facts = {"kind": row.kind, "proposed_by": row.proposed_by}
    record(session, act(status, by or By(unit_id=row.unit_id), row.id, facts))
    announce(session, event, {"proposal_id": row.id})


_LOCK = text(
    """
    SELECT id, kind, status, proposed_by, unit_id, expires_at FROM approvals.proposal
     WHERE id = :id FOR UPDATE
    """
)


def withdraw(
    session: Session,
    *,
    proposal_id: UUID,
    account_id: UUID,
    actor_kind: str,
    now: datetime | None = None,
) -> None:
    """Take one's own proposal back. Raises ``NotFound`` for anybody else's, ``ProposalOver``."""
    found = session.execute(_LOCK, {"id": proposal_id}).first()
    if found is None or found.proposed_by != account_id:
        raise NotFound
    if found.status != "open":
        raise ProposalOver
    end(
        session,
        found,
        status="withdrawn",
        event=WITHDRAWN,
        by=By(kind=actor_kind, id=account_id, unit_id=found.unit_id),
        now=clock(session, now),
    )


_DUE = text(
    """
    SELECT id, kind, status, proposed_by, unit_id, expires_at FROM approvals.proposal
     WHERE status = 'open' AND expires_at <= :now
     ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
)


def expire_open(session: Session, *, now: datetime | None = None, most: int = 200) -> int:
    """End what nobody decided in time; return how many."""
    at = clock(session, now)
    due = session.execute(_DUE, {"now": at, "most": most}).all()
    for row in due:
        end(session, row, status="expired", event=EXPIRED, now=at)
    return len(due)


_OPEN_OF = text(
    """
    SELECT id, kind, status, proposed_by, unit_id, expires_at FROM approvals.proposal
     WHERE status = 'open' AND split_part(kind, '.', 1) = :owner ORDER BY id FOR UPDATE
    """
)
_PROPOSALS_OF = text(
    "SELECT id FROM approvals.proposal WHERE split_part(kind, '.', 1) = :owner ORDER BY id"
)
_BLANK = text(
    """
    UPDATE approvals.proposal
       SET payload_sealed = NULL, summary = '{}', outcome = NULL, evidence_sealed = :evidence
     WHERE id = :id
    """
)
_BLANK_NOTES = text("UPDATE approvals.decision SET note_sealed = NULL WHERE proposal_id = :id")


def forget_owner(session: Session, *, owner: str, now: datetime | None = None) -> int:
    """End and blank every proposal of a module that is purged; return how many there were.

    What is left says when how many people decided something of it, and nothing of what.
    """
    at = clock(session, now)
    for row in session.execute(_OPEN_OF, {"owner": owner}).all():
        end(session, row, status="withdrawn", event=WITHDRAWN, now=at)
    found: list[UUID] = list(session.execute(_PROPOSALS_OF, {"owner": owner}).scalars())
    for proposal_id in found:
        nothing = crypto.current().seal("", place=sealing.evidence_place(proposal_id))
        session.execute(_BLANK, {"id": proposal_id, "evidence": nothing})
        session.execute(_BLANK_NOTES, {"id": proposal_id})
    return len(found)
