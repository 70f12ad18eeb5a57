"""Reads of the room: proposals within somebody's reach, who decided, who is to be told."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.approvals import sealing
from citizen_cloud.approvals.services.applying import opened
from citizen_cloud.approvals.services.approvers import STANDING


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Which proposals somebody sees: everything, or one's own, one's units', what one decides."""

    account_id: UUID
    everything: bool = False
    unit_ids: frozenset[UUID] = field(default_factory=frozenset)
    decides: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """Return the parameters of the condition below."""
        return {
            "account_id": self.account_id,
            "all": self.everything or self.decides,
            "units": list(self.unit_ids),
        }


_WITHIN = "(:all OR p.proposed_by = :account_id OR p.unit_id = ANY(:units))"
_COLUMNS = f"""
       p.id, p.kind, p.summary, p.reason, p.status, p.outcome, p.approvals_needed, p.proposed_by,
       p.unit_id, p.created_at, p.expires_at, p.ended_at, p.digest,
       (SELECT count(DISTINCT d.unit_id) FROM approvals.decision d
          JOIN approvals.approver a ON a.id = d.approver_id
         WHERE d.proposal_id = p.id AND d.verdict = 'approve'
           AND (p.status <> 'open' OR {STANDING})) AS approvals
"""  # noqa: S608 - a constant
_PROPOSALS = text(
    f"""
    SELECT {_COLUMNS} FROM approvals.proposal p
     WHERE {_WITHIN}
       AND (cast(:status AS text) IS NULL OR p.status = :status)
       AND (cast(:kind AS text) IS NULL OR p.kind = :kind)
       AND (cast(:before AS uuid) IS NULL OR p.id < :before)
     ORDER BY p.id DESC LIMIT :most
    """  # noqa: S608 - constants
)


def proposals(
    session: Session,
    *,
    reach: Reach,
    status: str | None,
    kind: str | None,
    before: UUID | None,
    limit: int,
) -> list[RowMapping]:
    """Return one page and one row more, latest first."""
    asked = {"status": status, "kind": kind, "before": before, "most": limit + 1}
    return list(session.execute(_PROPOSALS, {**reach.facts, **asked}).mappings().all())


_PROPOSAL = text(
    f"""
    SELECT {_COLUMNS}, p.payload_sealed, p.evidence_sealed FROM approvals.proposal p
     WHERE p.id = :id AND {_WITHIN}
    """  # noqa: S608 - constants
)
_DECISIONS = text(
    """
    SELECT id, account_id, unit_id, verdict, note_sealed, decided_at FROM approvals.decision
     WHERE proposal_id = :id ORDER BY decided_at, id
    """
)


def proposal(session: Session, proposal_id: UUID, *, reach: Reach) -> dict[str, Any] | None:
    """Return one proposal with its decisions, or None where it is out of reach.

    What it would do is opened for those who decide, proposed or audit; a colleague of the unit
    sees that there is one.
    """
    row = session.execute(_PROPOSAL, {**reach.facts, "id": proposal_id}).first()
    if row is None:
        return None
    said = session.execute(_DECISIONS, {"id": proposal_id}).mappings()
    shown: dict[str, Any] = {
        **row._mapping,  # noqa: SLF001 - SQLAlchemy's own name for it
        "payload": None,
        "evidence_reference": None,
        "decisions": [_decision(dict(one)) for one in said],
    }
    is_close = reach.everything or reach.decides or row.proposed_by == reach.account_id
    if is_close and row.payload_sealed is not None:
        content = opened(row)
        shown |= {"payload": content.payload, "evidence_reference": content.evidence_reference}
    return shown


def _decision(row: dict[str, Any]) -> dict[str, Any]:
    sealed = row.pop("note_sealed")
    place = sealing.note_place(row["id"])
    return {**row, "note": crypto.current().open(sealed, place=place) if sealed else None}


_TO_TELL = text(
    f"""
    SELECT a.account_id FROM approvals.approver a, approvals.proposal p
     WHERE p.id = :id AND p.status = 'open' AND a.account_id IS DISTINCT FROM p.proposed_by
       AND {STANDING}
     ORDER BY a.account_id LIMIT 500
    """  # noqa: S608 - a constant
)
_PROPOSER = text("SELECT kind, proposed_by FROM approvals.proposal WHERE id = :id")


def approvers_to_tell(session: Session, proposal_id: UUID) -> list[UUID]:
    """Return who may decide on an open proposal."""
    return list(session.execute(_TO_TELL, {"id": proposal_id}).scalars())


def kind_of_proposal(session: Session, proposal_id: UUID) -> str | None:
    """Return what kind a proposal is of, None where there is none."""
    row = session.execute(_PROPOSER, {"id": proposal_id}).first()
    return None if row is None else row.kind


def kind_and_proposer(session: Session, proposal_id: UUID) -> tuple[str, UUID | None]:
    """Return what kind a proposal is of, and who proposed it."""
    row = session.execute(_PROPOSER, {"id": proposal_id}).one()
    return row.kind, row.proposed_by


_NOMINEE = text(
    """
    SELECT k.username, b.bound_at,
           (SELECT max(r.used_at) FROM accounts.reset r WHERE r.account_id = k.id) AS reset_at
      FROM accounts.account k
      LEFT JOIN accounts.binding b
             ON b.account_id = k.id AND b.bound_at IS NOT NULL AND b.ended_at IS NULL
     WHERE k.id = :account_id
    """
)


def nominee(session: Session, account_id: UUID) -> dict[str, Any]:
    """Return how a member of staff is known to colleagues who shall decide about him."""
    found = session.execute(_NOMINEE, {"account_id": account_id}).mappings().first()
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in (found or {}).items()
    }


@dataclass(frozen=True, kw_only=True)
class ApproverRow:
    """An appointment as the machine's owner sees it."""

    username: str | None
    account_id: UUID
    unit: str
    unit_id: UUID
    appointed_at: datetime
    stands: bool


_APPROVERS = text(
    f"""
    SELECT k.username, a.account_id, o.name ->> 'zh' AS unit, a.unit_id, a.appointed_at,
           {STANDING} AS stands
      FROM approvals.approver a
      JOIN accounts.account k ON k.id = a.account_id
      JOIN organisations.organisation o ON o.id = a.unit_id
     WHERE a.ended_at IS NULL ORDER BY a.appointed_at
    """  # noqa: S608 - a constant
)


def approvers(session: Session) -> list[ApproverRow]:
    """Return every appointment that was not ended, and whether it still counts."""
    return [ApproverRow(**row) for row in session.execute(_APPROVERS).mappings()]
