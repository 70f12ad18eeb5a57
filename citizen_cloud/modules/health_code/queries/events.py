"""What was said of people, in the order it happened."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.rules.events import Event

_OF = text(
    """
    SELECT id, person_id, kind, occurred_at, payload, withdraws FROM health_code.event
     WHERE person_id = ANY(:people)
       AND (cast(:until AS timestamptz) IS NULL OR recorded_at <= :until)
     ORDER BY person_id, occurred_at, id
    """
)


def events_of(
    session: Session | Connection, people: Collection[UUID], *, until: datetime | None = None
) -> dict[UUID, list[Event]]:
    """Return the events of some people, as far as they were recorded by ``until``."""
    found: dict[UUID, list[Event]] = defaultdict(list)
    for row in session.execute(_OF, {"people": list(people), "until": until}):
        found[row.person_id].append(
            Event(
                id=row.id,
                kind=row.kind,
                occurred_at=row.occurred_at,
                payload=row.payload,
                withdraws=row.withdraws,
            )
        )
    return found
