"""A colour by hand: what is proposed, checked, and done once enough people agreed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import clock
from citizen_cloud.accounts.services.data_access import Look, Outcome, note_list
from citizen_cloud.audit.services import record_all
from citizen_cloud.jobs.services import announce_all
from citizen_cloud.manifest import Proposal, Terms
from citizen_cloud.modules.health_code.queries.limits import limit
from citizen_cloud.modules.health_code.queries.units import Unit, authority
from citizen_cloud.modules.health_code.rules.power_refusals import (
    BatchTooLarge,
    PersonUnknown,
    UnitRequired,
)
from citizen_cloud.modules.health_code.services.colours.events import NewEvent, append
from citizen_cloud.modules.health_code.services.power import named, rates
from citizen_cloud.modules.health_code.services.power.agreed import act_of, looks_of
from citizen_cloud.modules.health_code.services.power.alarms import ring
from citizen_cloud.modules.health_code.services.power.named import PURPOSE

# What was given behind a colour that stays: nobody would hear of it otherwise.
ASSIGNED = "health_code.assigned"


def check_assign(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Let a proposal pass that names few people, all of them known, none the proposer.

    More people of one area within an hour than its rate need a third approver. Raises
    ``BatchTooLarge``, which rings, ``UnitRequired``, ``PersonUnknown``, ``OwnPerson``.
    """
    asked = proposal.payload["persons"]
    cap = limit(session, "assign_cap")
    if len(asked) > cap:
        alarm = rates.alarm_about("batch_too_large", proposal, persons=len(asked), cap=cap)
        raise BatchTooLarge(cap=cap).but_record(partial(ring, alarm=alarm))
    unit = unit_of(session, proposal)
    person_ids = _known(session, proposal, now)
    named.require_others(session, proposal, person_ids)
    if now == proposal.created_at:
        # Before it is applied nobody reads it: this runs by itself.
        note_list(session, _looks(proposal, person_ids, "read"), now=now)
    needed, before = rates.needed_for(session, proposal, unit, persons=len(person_ids), now=now)
    summary = {
        "persons": len(person_ids),
        "colour": proposal.payload["colour"],
        "days": proposal.payload["days"],
        "area": unit.area,
        "in_area_within_hour": before,
    }
    return Terms(approvals=needed, summary=summary)


def apply_assign(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Give the colour; each person is told of it with the reason and the way to object."""
    unit = unit_of(session, proposal)
    person_ids = _known(session, proposal, now)
    payload = proposal.payload
    facts = {"colour": payload["colour"], "days": payload["days"], "reason": proposal.reason}
    events = [
        NewEvent(
            person_id=person_id,
            kind="assigned",
            evidence="approval",
            occurred_at=now,
            payload=facts,
            source_kind="officer",
            source_id=proposal.proposed_by,
            organisation_id=unit.id,
            approval_id=proposal.id,
        )
        for person_id in person_ids
    ]
    people: dict[str, Any] = {"colour": payload["colour"], "persons": len(person_ids)}
    rates.keep(session, proposal.id, unit, **people, now=now)
    changes = append(session, events, now=now)
    record_all(
        session, [act_of(one, proposal, action="health_code.colour_assigned") for one in events]
    )
    turned = {change.person_id for change in changes}
    news = [
        ({"person_id": one.person_id, "event_id": one.id}, None)
        for one in events
        if one.person_id not in turned
    ]
    announce_all(session, ASSIGNED, news, lane="urgent")
    note_list(session, _looks(proposal, person_ids, "changed"), now=now)
    return {"persons": len(person_ids), "changed": len(changes)}


def unit_of(session: Session, proposal: Proposal) -> Unit:
    """Return the open authority that proposes. Raises ``UnitRequired``."""
    found = None if proposal.unit_id is None else authority(session, proposal.unit_id)
    if found is None:
        raise UnitRequired
    return found


def _known(session: Session, proposal: Proposal, now: datetime) -> list[UUID]:
    """Return everybody who is meant, each once, in one order. Raises ``PersonUnknown``.

    Which of the list is unknown is not told, and whoever was found sees the attempt: the list is
    no way to find out who lives here.
    """
    found = named.meant(session, proposal.payload["persons"], clock.local_day(now))
    seen = sorted({one for one in found if one is not None})
    if None in found:
        alarm = rates.alarm_about("person_unknown", proposal, persons=len(found))
        raise PersonUnknown().but_record(
            partial(note_list, looks=_looks(proposal, seen, "refused"), now=now),
            partial(ring, alarm=alarm),
        )
    return seen


def _looks(proposal: Proposal, person_ids: Sequence[UUID], outcome: Outcome) -> list[Look]:
    categories = ("health",) if outcome == "changed" else ("name", "document")
    return looks_of(proposal, person_ids, purpose=PURPOSE, categories=categories, outcome=outcome)
