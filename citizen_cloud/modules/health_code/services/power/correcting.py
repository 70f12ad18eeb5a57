"""Take events back: after an appeal, or because they were wrong. Two approvers, as for giving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.data_access import Look, Outcome, note_list
from citizen_cloud.audit.services import record_all
from citizen_cloud.manifest import Onlooker, Proposal, Terms
from citizen_cloud.modules.health_code.queries.limits import limit
from citizen_cloud.modules.health_code.rules.hand import APPROVALS, speaks_for
from citizen_cloud.modules.health_code.rules.power_refusals import BatchTooLarge, EventNotTheirs
from citizen_cloud.modules.health_code.services.colours.events import NewEvent, append
from citizen_cloud.modules.health_code.services.power import answers, rates
from citizen_cloud.modules.health_code.services.power.agreed import act_of, looks_of
from citizen_cloud.modules.health_code.services.power.alarms import ring
from citizen_cloud.modules.health_code.services.power.hand import unit_of
from citizen_cloud.modules.health_code.services.power.named import is_own, require_others

PURPOSE = "health_code.correct"
WORSE = "worse"


@dataclass(frozen=True, kw_only=True)
class Meant:
    """An event that is to be withdrawn."""

    id: UUID
    person_id: UUID
    kind: str
    payload: Mapping[str, Any]


_MEANT = text(
    """
    SELECT e.id, e.person_id, e.kind, e.payload FROM health_code.event e
     WHERE e.id = ANY(:ids) AND e.kind <> 'withdrawn'
       AND NOT EXISTS (SELECT FROM health_code.event w WHERE w.withdraws = e.id)
     ORDER BY e.person_id, e.id
    """
)


def check_correct(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Let pass what withdraws events that stand, and, for an appeal, those of its person only.

    Taking back what speaks for people makes them worse: that has the cap and the rate of colours
    by hand. Raises ``UnitRequired``, ``EventNotTheirs``, ``AppealOver``, ``OwnPerson``,
    ``BatchTooLarge``.
    """
    unit = unit_of(session, proposal)
    meant = _meant(session, proposal)
    appeal_id = _appeal_id(proposal)
    if appeal_id is not None:
        person_id = answers.person_of_open(session, appeal_id)
        if any(one.person_id != person_id for one in meant):
            raise EventNotTheirs
    people = {one.person_id for one in meant}
    require_others(session, proposal, people)
    if now == proposal.created_at:
        note_list(session, _looks(proposal, meant, "read"), now=now)
    kinds = sorted({one.kind for one in meant})
    summary: dict[str, Any] = {"events": len(meant), "persons": len(people), "kinds": kinds}
    needed = APPROVALS
    if worse := _worse(meant):
        cap = limit(session, "assign_cap")
        if worse > cap:
            alarm = rates.alarm_about("batch_too_large", proposal, persons=worse, cap=cap)
            raise BatchTooLarge(cap=cap).but_record(partial(ring, alarm=alarm))
        needed, before = rates.needed_for(session, proposal, unit, persons=worse, now=now)
        summary |= {"worse_for": worse, "in_area_within_hour": before}
    return Terms(approvals=needed, summary=summary)


def _worse(meant: Sequence[Meant]) -> int:
    """Return for how many people it may be worse."""
    return len({one.person_id for one in meant if speaks_for(one.kind, one.payload)})


def apply_correct(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Withdraw the events and answer the appeal they were withdrawn for."""
    meant = _meant(session, proposal)
    if worse := _worse(meant):
        unit = unit_of(session, proposal)
        rates.keep(session, proposal.id, unit, colour=WORSE, persons=worse, now=now)
    events = [_withdrawal(one, proposal, now) for one in meant]
    changes = append(session, events, now=now)
    record_all(
        session, [act_of(one, proposal, action="health_code.event_withdrawn") for one in events]
    )
    note_list(session, _looks(proposal, meant, "changed"), now=now)
    appeal_id = _appeal_id(proposal)
    if appeal_id is not None:
        answers.grant(session, appeal_id=appeal_id, now=now)
    return {"events": len(meant), "changed": len(changes)}


_WHOSE = text("SELECT DISTINCT person_id FROM health_code.event WHERE id = ANY(:ids)")


def bars_correct(session: Session, proposal: Proposal, by: Onlooker) -> bool:
    """Return whether it is the approver's own record, or his family's."""
    people = session.scalars(_WHOSE, {"ids": _ids(proposal)}).all()
    return is_own(session, by.account_id, people)


def _ids(proposal: Proposal) -> list[UUID]:
    return list({UUID(str(one)) for one in proposal.payload["event_ids"]})


def _meant(session: Session, proposal: Proposal) -> list[Meant]:
    ids = _ids(proposal)
    rows = session.execute(_MEANT, {"ids": ids}).mappings()
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


def _looks(proposal: Proposal, meant: Sequence[Meant], outcome: Outcome) -> list[Look]:
    people = sorted({one.person_id for one in meant})
    return looks_of(proposal, people, purpose=PURPOSE, categories=("health",), outcome=outcome)
