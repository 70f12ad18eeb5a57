"""How many people of an area were made worse by hand within the hour, and how many must agree."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.manifest import Proposal
from citizen_cloud.modules.health_code.queries.limits import limit
from citizen_cloud.modules.health_code.queries.units import Unit
from citizen_cloud.modules.health_code.rules.hand import APPROVALS, approvals_needed
from citizen_cloud.modules.health_code.services.power.alarms import Alarm, ring

# Two proposals of one area, or of one unit, are counted one after the other: the locks hold until
# the transaction of the last approval ends. The area's always comes first.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('health_code.area ' || :what, 0))")
# A unit that is moved elsewhere takes along what it did.
_WITHIN = text(
    """
    SELECT coalesce(sum(persons), 0) FROM health_code.assignment
     WHERE (area = :area OR unit_id = :unit_id)
       AND applied_at > cast(:now AS timestamptz) - interval '1 hour'
    """
)
_KEEP = text(
    """
    INSERT INTO health_code.assignment (proposal_id, unit_id, area, colour, persons, applied_at)
    VALUES (:proposal_id, :unit_id, :area, :colour, :persons, :now)
    """
)


def needed_for(
    session: Session, proposal: Proposal, unit: Unit, *, persons: int, now: datetime
) -> tuple[int, int]:
    """Return how many must agree to so many more, and how many there were; above the rate it rings.

    The area is locked until the transaction ends.
    """
    session.execute(_LOCK, {"what": unit.area})
    session.execute(_LOCK, {"what": str(unit.id)})
    asked = {"area": unit.area, "unit_id": unit.id, "now": now}
    before = int(session.execute(_WITHIN, asked).scalar_one())
    needed = approvals_needed(before=before, more=persons, rate=limit(session, "area_rate"))
    if needed > APPROVALS:
        ring(session, alarm_about("above_rate", proposal, persons=persons, before=before))
    return needed, before


def keep(
    session: Session, proposal_id: UUID, unit: Unit, *, colour: str, persons: int, now: datetime
) -> None:
    """Count people towards their area's and their unit's rate."""
    facts = {"proposal_id": proposal_id, "unit_id": unit.id, "area": unit.area}
    session.execute(_KEEP, {**facts, "colour": colour, "persons": persons, "now": now})


def alarm_about(what: str, proposal: Proposal, **facts: int) -> Alarm:
    """Return the alarm about what somebody proposes."""
    return Alarm(
        what=what,
        actor_kind="staff" if proposal.proposed_by else "system",
        actor_id=proposal.proposed_by,
        unit_id=proposal.unit_id,
        facts=facts,
    )
