"""The part of the module's personal data that lies in visits."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from citizen_cloud.manifest import Subject
from citizen_cloud.modules.health_code.services.holdings.holding import Holding
from citizen_cloud.modules.health_code.services.places.sealed_visits import (
    forget_visits,
    own_visits,
)
from citizen_cloud.text import Text


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return where somebody was in the last three weeks."""
    if subject.person_id is None:
        return {"visits": []}
    found = own_visits(session, person_id=subject.person_id)
    return {
        "visits": [
            {
                "id": str(visit.id),
                "place_id": str(visit.place_id),
                "place_name": visit.place_name,
                "at": visit.at.isoformat(),
            }
            for visit in found
        ]
    }


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Delete somebody's visits."""
    if subject.person_id is None:
        return 0
    return forget_visits(session, person_id=subject.person_id, now=now)


# The table has no key of a person to be found by, hence none is named.
visits = Holding(
    name="visits",
    category=Text("到访记录（密封，21天后删除）", "Visits, sealed and deleted after 21 days"),
    tables=frozenset(),
    export=export,
    erase=erase,
)
