"""Take events back: after an appeal, or because they were wrong. Two approvers, as for giving."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.manifest import Proposal, Terms
from citizen_cloud.modules.health_code.queries.units import authority
from citizen_cloud.modules.health_code.rules.power_refusals import EventNotTheirs, UnitRequired
from citizen_cloud.modules.health_code.services import answers
from citizen_cloud.modules.health_code.services.events import NewEvent, append


@dataclass(frozen=True, kw_only=True)
class Meant:
    """An event that is to be withdrawn."""

    id: UUID
    person_id: UUID
    kind: str


_MEANT = text(
    """
    SELECT e.id, e.person_id, e.kind FROM health_code.event e
     WHERE e.id = ANY(:ids) AND e.kind <> 'withdrawn'
       AND NOT EXISTS (SELECT FROM health_code.event w WHERE w.withdraws = e.id)
     ORDER BY e.person_id, e.id
    """
)


def check_correct(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Let pass what withdraws events that stand, and, for an appeal, those of its person only.

    Raises ``UnitRequired``, ``EventNotTheirs``, ``AppealOver``.
    """
    del now
    if proposal.unit_id is None or authority(session, proposal.unit_id) is None:
        raise UnitRequired
    meant = _meant(session, proposal)
    appeal_id = _appeal_id(proposal)
    if appeal_id is not None:
        person_id = answers.person_of_open(session, appeal_id)
        if any(one.person_id != person_id for one in meant):
            raise EventNotTheirs
    kinds = sorted({one.kind for one in meant})
    people = len({one.person_id for one in meant})
    return Terms(summary={"events": len(meant), "persons": people, "kinds": kinds})


def apply_correct(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Withdraw the events and answer the appeal they were withdrawn for."""
    meant = _meant(session, proposal)
    changes = append(session, [_withdrawal(one, proposal, now) for one in meant], now=now)
    appeal_id = _appeal_id(proposal)
    if appeal_id is not None:
        answers.grant(session, appeal_id=appeal_id, now=now)
    return {"events": len(meant), "changed": len(changes)}


def _meant(session: Session, proposal: Proposal) -> list[Meant]:
    ids = {UUID(str(one)) for one in proposal.payload["event_ids"]}
    rows = session.execute(_MEANT, {"ids": list(ids)}).mappings()
    meant = [Meant(**row) for row in rows]
    if len(meant) != len(ids):
        raise EventNotTheirs
    return meant


def _appeal_id(proposal: Proposal) -> UUID | None:
    given = proposal.payload.get("appeal_id")
    return None if given is None else UUID(str(given))


def _withdrawal(meant: Meant, proposal: Proposal, now: datetime) -> NewEvent:
    return NewEvent(
        person_id=meant.person_id,
        kind="withdrawn",
        evidence="approval",
        occurred_at=now,
        payload={},
        source_kind="officer",
        source_id=proposal.proposed_by,
        organisation_id=proposal.unit_id,
        approval_id=proposal.id,
        withdraws=meant.id,
    )
