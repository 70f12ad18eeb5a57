"""Bring about what enough people of different units agreed to."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.approvals import sealing
from citizen_cloud.approvals.kinds import kind_of
from citizen_cloud.approvals.refusals import ProposalOver
from citizen_cloud.approvals.services.approvers import STANDING
from citizen_cloud.approvals.services.ending import APPLIED, FAILED, end
from citizen_cloud.errors import Refusal
from citizen_cloud.manifest import Proposal

# Whoever was dismissed, suspended or reset since counts no more, nor whose person the proposer
# turned out to be. People count, and units.
_APPROVALS = text(
    f"""
    SELECT least(count(DISTINCT d.unit_id), count(DISTINCT said.person_id))
      FROM approvals.decision d
      JOIN approvals.proposal p ON p.id = d.proposal_id
      JOIN approvals.approver a ON a.id = d.approver_id
      JOIN accounts.binding said ON said.id = a.binding_id
     WHERE d.proposal_id = :id AND d.verdict = 'approve' AND {STANDING}
       AND NOT approvals.are_one(p.proposed_by, d.account_id)
    """  # noqa: S608 - a constant
)
_MORE = text(
    """
    UPDATE approvals.proposal
       SET approvals_needed = :needed, summary = cast(:summary AS jsonb), version = version + 1
     WHERE id = :id
    """
)


def opened(row: Row[Any]) -> Proposal:
    """Return what a row proposes. Raises ``ProposalOver`` where it was forgotten since."""
    if row.payload_sealed is None:
        raise ProposalOver
    keys = crypto.current()
    return Proposal(
        id=row.id,
        kind=row.kind,
        payload=json.loads(keys.open(row.payload_sealed, place=sealing.payload_place(row.id))),
        reason=row.reason,
        evidence_reference=keys.open(row.evidence_sealed, place=sealing.evidence_place(row.id)),
        proposed_by=row.proposed_by,
        unit_id=row.unit_id,
        created_at=row.created_at,
    )


def apply_if_enough(
    session: Session, row: Row[Any], *, now: datetime
) -> tuple[str, Mapping[str, Any] | None]:
    """Apply a locked proposal if enough agreed; return its status and what came of it.

    The kind checks it again first: where more must agree than before, it stays open.
    """
    count = session.scalar(_APPROVALS, {"id": row.id}) or 0
    if count < row.approvals_needed:
        return "open", None
    try:
        with session.begin_nested():
            outcome = _applied(session, row, count, now)
    except Refusal as refusal:
        # Nothing of it happened; what the kind wanted kept all the same is kept.
        for work in refusal.afterwards:
            work(session)
        outcome = {"code": refusal.code}
        end(session, row, status="failed", event=FAILED, outcome=outcome, now=now)
        return "failed", outcome
    if outcome is None:
        return "open", None
    end(session, row, status="applied", event=APPLIED, outcome=outcome, now=now)
    return "applied", outcome


def _applied(
    session: Session, row: Row[Any], count: int, now: datetime
) -> Mapping[str, Any] | None:
    proposal, kind = opened(row), kind_of(row.kind)
    _check_unchanged(row, proposal)
    terms = kind.check(session, proposal, now)
    if count < terms.approvals:
        summary = sealing.written(terms.summary)
        session.execute(_MORE, {"id": row.id, "needed": terms.approvals, "summary": summary})
        return None
    return kind.apply(session, proposal, now)


class ProposalChanged(Exception):
    """The row is not what approvers agreed to: somebody wrote past this room."""


def _check_unchanged(row: Row[Any], proposal: Proposal) -> None:
    expected = sealing.digest_of(
        proposal_id=proposal.id,
        kind=proposal.kind,
        payload=sealing.written(proposal.payload),
        reason=proposal.reason,
        evidence=proposal.evidence_reference,
    )
    if expected != bytes(row.digest):
        raise ProposalChanged(str(proposal.id))
