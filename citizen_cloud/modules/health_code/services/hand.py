"""A colour by hand: what is proposed, checked, and done once enough people agreed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import clock
from citizen_cloud.accounts.refusals import IdNumberInvalid, NameInvalid
from citizen_cloud.accounts.services import people, real_name
from citizen_cloud.accounts.services.data_access import Look, Outcome, note_list
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.manifest import Proposal, Terms
from citizen_cloud.modules.health_code.queries.limits import limit
from citizen_cloud.modules.health_code.queries.units import Unit, authority
from citizen_cloud.modules.health_code.rules.hand import APPROVALS, approvals_needed
from citizen_cloud.modules.health_code.rules.power_refusals import (
    BatchTooLarge,
    OwnPerson,
    PersonUnknown,
    UnitRequired,
)
from citizen_cloud.modules.health_code.services.alarms import Alarm, ring
from citizen_cloud.modules.health_code.services.events import NewEvent, append

PURPOSE = "health_code.assign"


def check_assign(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Let a proposal pass that names few people, all of them known, none the proposer.

    More people of one area within an hour than its rate need a third approver. Raises
    ``BatchTooLarge``, which rings, ``UnitRequired``, ``PersonUnknown``, ``OwnPerson``.
    """
    named = proposal.payload["persons"]
    cap = limit(session, "assign_cap")
    if len(named) > cap:
        alarm = _alarm("batch_too_large", proposal, persons=len(named), cap=cap)
        raise BatchTooLarge(cap=cap).but_record(partial(ring, alarm=alarm))
    unit = _unit(session, proposal)
    person_ids = _known(session, proposal, clock.local_day(now), now)
    _require_others(session, proposal, person_ids)
    note_list(session, _looks(proposal, person_ids, "read"), now=now)
    before = _within_hour(session, unit.area, now)
    rate = limit(session, "area_rate")
    needed = approvals_needed(before=before, more=len(person_ids), rate=rate)
    if needed > APPROVALS:
        ring(session, _alarm("above_rate", proposal, persons=len(person_ids), before=before))
    summary = {
        "persons": len(person_ids),
        "colour": proposal.payload["colour"],
        "days": proposal.payload["days"],
        "area": unit.area,
        "in_area_within_hour": before,
    }
    return Terms(approvals=needed, summary=summary)


_KEEP = text(
    """
    INSERT INTO health_code.assignment (proposal_id, unit_id, area, colour, persons, applied_at)
    VALUES (:proposal_id, :unit_id, :area, :colour, :persons, :now)
    """
)


def apply_assign(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Give the colour; each person is told of it with the reason and the way to object."""
    unit = _unit(session, proposal)
    person_ids = _known(session, proposal, clock.local_day(now), now)
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
    session.execute(
        _KEEP,
        {
            "proposal_id": proposal.id,
            "unit_id": unit.id,
            "area": unit.area,
            "colour": payload["colour"],
            "persons": len(person_ids),
            "now": now,
        },
    )
    changes = append(session, events, now=now)
    note_list(session, _looks(proposal, person_ids, "changed"), now=now)
    return {"persons": len(person_ids), "changed": len(changes)}


def _unit(session: Session, proposal: Proposal) -> Unit:
    found = None if proposal.unit_id is None else authority(session, proposal.unit_id)
    if found is None:
        raise UnitRequired
    return found


def _known(session: Session, proposal: Proposal, today: Any, now: datetime) -> list[UUID]:
    """Return everybody who is meant, each once, in one order. Raises ``PersonUnknown``.

    Which of the list is unknown is not told, and whoever was found sees the attempt: the list is
    no way to find out who lives here.
    """
    named = proposal.payload["persons"]
    claims = [_claim(one, today) for one in named if "person_id" not in one]
    found = people.find_all(session, claims=[one for one in claims if one is not None])
    asked = [UUID(str(one["person_id"])) for one in named if "person_id" in one]
    living = _living(session, asked)
    if None in claims or None in found or len(living) < len(set(asked)):
        seen = sorted({one for one in found if one is not None} | living)
        alarm = _alarm("person_unknown", proposal, persons=len(named))
        raise PersonUnknown().but_record(
            partial(note_list, looks=_looks(proposal, seen, "refused"), now=now),
            partial(ring, alarm=alarm),
        )
    return sorted({one for one in found if one is not None} | living)


def _claim(named: Mapping[str, Any], today: Any) -> Claim | None:
    try:
        return real_name.claim(
            document_type=named["document_type"],
            number=named["document_number"],
            name=named["name"],
            today=today,
        )
    except (IdNumberInvalid, NameInvalid):
        return None


_LIVING = text("SELECT id FROM accounts.person WHERE id = ANY(:ids) AND erased_at IS NULL")


def _living(session: Session, person_ids: Sequence[UUID]) -> set[UUID]:
    return set(session.scalars(_LIVING, {"ids": list(person_ids)})) if person_ids else set()


_OWN = text(
    "SELECT count(*) FROM accounts.account WHERE id = :account AND person_id = ANY(:people)"
)


def _require_others(session: Session, proposal: Proposal, person_ids: Sequence[UUID]) -> None:
    asked = {"account": proposal.proposed_by, "people": list(person_ids)}
    if session.scalar(_OWN, asked):
        raise OwnPerson


# Two proposals of one area are counted one after the other: the lock holds until the transaction
# of the last approval ends.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('health_code.area ' || :area, 0))")
_WITHIN = text(
    """
    SELECT coalesce(sum(persons), 0) FROM health_code.assignment
     WHERE area = :area AND applied_at > cast(:now AS timestamptz) - interval '1 hour'
    """
)


def _within_hour(session: Session, area: str, now: datetime) -> int:
    session.execute(_LOCK, {"area": area})
    return int(session.execute(_WITHIN, {"area": area, "now": now}).scalar_one())


def _looks(proposal: Proposal, person_ids: Sequence[UUID], outcome: Outcome) -> list[Look]:
    return [
        Look(
            person_id=person_id,
            reader_kind="staff" if proposal.proposed_by else "system",
            reader_id=proposal.proposed_by,
            organisation_id=proposal.unit_id,
            purpose=PURPOSE,
            categories=("health",) if outcome == "changed" else ("name", "document"),
            basis_type="case",
            basis_id=proposal.id,
            outcome=outcome,
        )
        for person_id in person_ids
    ]


def _alarm(what: str, proposal: Proposal, **facts: int) -> Alarm:
    return Alarm(
        what=what,
        actor_kind="staff" if proposal.proposed_by else "system",
        actor_id=proposal.proposed_by,
        unit_id=proposal.unit_id,
        facts=facts,
    )
