"""Records of a place that two approvers opened: asked for, opened, read, and all of it noted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import rows_changed
from citizen_cloud.errors import Forbidden, Invalid
from citizen_cloud.manifest import Onlooker, Proposal, Terms
from citizen_cloud.modules.health_code.queries.places import place
from citizen_cloud.modules.health_code.queries.units import authority
from citizen_cloud.modules.health_code.queries.visits import count_window
from citizen_cloud.modules.health_code.rules import visits as rules
from citizen_cloud.modules.health_code.rules.place_refusals import WindowRefused

KIND = "health_code.open_visits"
OBJECT = "health_code.visit_opening"


@dataclass(frozen=True, kw_only=True)
class Window:
    """What is asked for: the record of one place, some full hours, one case."""

    place_id: UUID
    from_at: datetime
    until_at: datetime
    case_number: str


def window_of(payload: Mapping[str, Any]) -> Window:
    """Read a proposal's own part."""
    return Window(
        place_id=UUID(payload["place_id"]),
        from_at=datetime.fromisoformat(payload["from_at"]),
        until_at=datetime.fromisoformat(payload["until_at"]),
        case_number=payload["case_number"],
    )


def case_place(opening_id: UUID) -> str:
    """Return what binds a case number to its opening."""
    return f"health_code.visit_opening:case:{opening_id}"


def check(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Say what approvers see: how many visits, roughly, never whose.

    Raises ``Forbidden`` for whoever is no authority, ``WindowRefused``, and ``Invalid`` for a place
    that is not there.
    """
    wanted = window_of(proposal.payload)
    if proposal.unit_id is None or authority(session, proposal.unit_id) is None:
        raise Forbidden
    if fault := _fault(wanted, now):
        raise WindowRefused(errors=[{"pointer": f"/payload/{fault}", "code": "out_of_range"}])
    if place(session, wanted.place_id) is None:
        raise Invalid(errors=[{"pointer": "/payload/place_id", "code": "unknown"}])
    number = count_window(
        session,
        place_id=wanted.place_id,
        from_at=wanted.from_at,
        until_at=wanted.until_at,
    )
    return Terms(
        summary={
            "place_id": str(wanted.place_id),
            "from_at": wanted.from_at.isoformat(),
            "until_at": wanted.until_at.isoformat(),
            "visits": rules.band(number),
        }
    )


def _fault(wanted: Window, now: datetime) -> str | None:
    """Return which end of a window is wrong."""
    if not rules.is_full_hour(wanted.from_at) or wanted.from_at >= wanted.until_at:
        return "from_at"
    if not rules.is_full_hour(wanted.until_at) or wanted.until_at > now + rules.HOUR:
        return "until_at"
    if wanted.until_at - wanted.from_at > rules.LONGEST_WINDOW:
        return "until_at"
    return "until_at" if wanted.until_at <= now - rules.KEPT else None


def bars(session: Session, proposal: Proposal, by: Onlooker) -> bool:
    """Return whether the approver is of the authority that would read it: two others agree."""
    del session
    return by.unit_id == proposal.unit_id


_OPEN = text(
    """
    INSERT INTO health_code.visit_opening
           (id, unit_id, place_id, from_at, until_at, case_sealed, opened_at, ends_at)
    VALUES (:id, :unit_id, :place_id, :from_at, :until_at, :case, :now, :ends_at)
    """
)


def apply(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Open the record for the proposing authority, for a day."""
    wanted = window_of(proposal.payload)
    ends_at = now + rules.OPEN_FOR
    case = crypto.current().seal(wanted.case_number, place=case_place(proposal.id))
    session.execute(
        _OPEN,
        {
            "id": proposal.id,
            "unit_id": proposal.unit_id,
            "place_id": wanted.place_id,
            "from_at": wanted.from_at,
            "until_at": wanted.until_at,
            "case": case,
            "now": now,
            "ends_at": ends_at,
        },
    )
    act = Act(
        actor_kind="system",
        actor_id=None,
        action="health_code.visits_opened",
        object_type=OBJECT,
        object_id=proposal.id,
        organisation_id=proposal.unit_id,
        payload={"place_id": str(wanted.place_id)},
    )
    record(session, act)
    return {"opening_id": str(proposal.id), "ends_at": ends_at.isoformat()}


_FORGET = text(
    """
    DELETE FROM health_code.visit_opening
     WHERE ends_at < coalesce(cast(:now AS timestamptz), statement_timestamp()) - :kept
    """
)
KEPT = timedelta(days=180)


def forget_old(session: Session, *, now: datetime | None = None) -> int:
    """Delete openings half a year old; the proposal and the trail remember them."""
    return rows_changed(session, _FORGET, {"now": now, "kept": KEPT})
