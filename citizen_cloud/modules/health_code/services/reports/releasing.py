"""Batches above their source's cap: sealed, until two approvers let them pass or they end."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.people import find_traced
from citizen_cloud.approvals.services import Proposer, propose
from citizen_cloud.errors import Forbidden
from citizen_cloud.manifest import Onlooker, Proposal, Terms
from citizen_cloud.modules.health_code.rules.power_refusals import BatchGone
from citizen_cloud.modules.health_code.services.power.alarms import Alarm, ring
from citizen_cloud.modules.health_code.services.power.named import is_own
from citizen_cloud.modules.health_code.services.reports import placing
from citizen_cloud.modules.health_code.services.reports.reported import Origin, Reported
from citizen_cloud.modules.health_code.services.reports.sources import Registered

KIND = "health_code.release_batch"


_ASKED = text("UPDATE health_code.batch SET proposal_id = :proposal_id WHERE id = :id")


def ask(
    session: Session, *, batch_id: UUID, source: Registered, reference: str, now: datetime
) -> None:
    """Propose, as the rule itself, that a batch be let pass; the auditors hear of it."""
    proposal_id = propose(
        session,
        kind=KIND,
        payload={"batch_id": str(batch_id)},
        reason="above_cap",
        evidence_reference=reference,
        proposer=Proposer(),
        now=now,
    )
    session.execute(_ASKED, {"id": batch_id, "proposal_id": proposal_id})
    alarm = Alarm(
        what="above_cap",
        actor_kind="service",
        actor_id=source.account_id,
        unit_id=source.unit_id,
        facts={"source_id": str(source.id), "batch_id": str(batch_id)},
    )
    ring(session, alarm)


_WAITING = text(
    """
    SELECT b.id, b.source_id, b.rows_sealed, b.accepted, s.unit_id, s.cap_per_hour
      FROM health_code.batch b JOIN health_code.source s ON s.id = b.source_id
      JOIN organisations.organisation o ON o.id = s.unit_id
     WHERE b.id = :id AND b.status = 'waiting' AND s.status = 'active'
       AND o.kind = 'authority' AND o.status = 'active' FOR UPDATE OF b
    """
)
_RELEASE = text(
    """
    UPDATE health_code.batch SET status = 'released', rows_sealed = NULL, decided_at = :now,
           proposal_id = :proposal_id, unplaced = :unplaced
     WHERE id = :id
    """
)


def check_release(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Let pass a batch that waits, of a source that still counts; the rule alone asks for it.

    Raises ``Forbidden``, ``BatchGone``.
    """
    del now
    if proposal.proposed_by is not None:
        raise Forbidden
    row = _waiting(session, proposal)
    kinds = Counter(one.kind for one in _opened(row))
    summary = {
        "batch_id": row.id,
        "source_id": row.source_id,
        "unit_id": row.unit_id,
        "rows": row.accepted,
        "cap_per_hour": row.cap_per_hour,
        "kinds": dict(sorted(kinds.items())),
    }
    return Terms(summary=summary)


def apply_release(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Append what the batch says, under the approval it got."""
    row = _waiting(session, proposal)
    reported = _opened(row)
    origin = Origin(
        source_id=row.source_id, unit_id=row.unit_id, batch_id=row.id, approval_id=proposal.id
    )
    placed = placing.place(session, reported, origin, now=now)
    facts = {"id": row.id, "proposal_id": proposal.id, "unplaced": placed.unplaced, "now": now}
    session.execute(_RELEASE, facts)
    rows = len(reported) - placed.unplaced
    return {"batch_id": row.id, "rows": rows, "changed": placed.changed}


_WHOSE = text(
    """
    SELECT b.id, b.rows_sealed, s.unit_id FROM health_code.batch b
      JOIN health_code.source s ON s.id = b.source_id WHERE b.id = :id
    """
)


def bars_release(session: Session, proposal: Proposal, by: Onlooker) -> bool:
    """Return whether the batch is of the approver's own authority, or about him or his family."""
    row = session.execute(_WHOSE, {"id": UUID(str(proposal.payload["batch_id"]))}).one()
    if row.unit_id == by.unit_id:
        return True
    reported = [] if row.rows_sealed is None else _opened(row)
    found = find_traced(session, traces=[one.trace for one in reported])
    return is_own(session, by.account_id, {one for one in found if one is not None})


def _waiting(session: Session, proposal: Proposal) -> Row[Any]:
    row = session.execute(_WAITING, {"id": UUID(str(proposal.payload["batch_id"]))}).first()
    if row is None:
        raise BatchGone
    return row


def _opened(row: Row[Any]) -> list[Reported]:
    return placing.opened(row.id, row.rows_sealed)


_LET_GO = text(
    """
    UPDATE health_code.batch SET status = 'refused', rows_sealed = NULL, decided_at = :now
     WHERE proposal_id = :proposal_id AND status = 'waiting'
    """
)


def let_go(session: Session, *, proposal_id: UUID, now: datetime) -> None:
    """Forget the rows of a batch that nobody let pass."""
    session.execute(_LET_GO, {"proposal_id": proposal_id, "now": now})
