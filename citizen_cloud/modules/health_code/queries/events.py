"""What was said of people, in the order it happened."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.rules.events import Event
from citizen_cloud.modules.health_code.rules.said import NOTHING, Well

# A person is one row: somebody who declares daily has hundreds of events, and a row of its own for
# each costs several times what folding it does.
_OF = text(
    """
    SELECT person_id,
           json_agg(json_build_array(id, kind, occurred_at, payload, withdraws)
                    ORDER BY occurred_at, id)::text AS events
      FROM health_code.event
     WHERE person_id = ANY(:people)
       AND (cast(:until AS timestamptz) IS NULL OR recorded_at <= :until)
     GROUP BY person_id
    """
)


def events_of(
    session: Session | Connection, people: Collection[UUID], *, until: datetime | None = None
) -> dict[UUID, list[Event]]:
    """Return the events of some people, as far as they were recorded by ``until``."""
    found: dict[UUID, list[Event]] = defaultdict(list)
    for row in session.execute(_OF, {"people": list(people), "until": until}):
        found[row.person_id] = _events(row.events)
    return found


# Of a declaration that tells of nothing only its day counts, and nearly all are such: as days they
# cost a twentieth. What was withdrawn is left to the fold.
_PAST = text(
    """
    WITH said AS (
        SELECT e.*, (e.occurred_at AT TIME ZONE 'Asia/Shanghai')::date
                    - date '0001-01-01' + 1 AS day,
               e.kind = 'declared' AND e.payload -> 'symptoms' = '[]'
               AND e.payload -> 'contact_with_case' = 'false'
               AND coalesce(e.payload -> 'temperature_c' < to_jsonb(cast(:fever_c AS numeric)),
                            true)
               AND e.id NOT IN (SELECT w.withdraws FROM health_code.event w
                                 WHERE w.person_id = ANY(:people) AND w.withdraws IS NOT NULL)
               AS is_well
          FROM health_code.event e WHERE e.person_id = ANY(:people))
    SELECT person_id,
           json_agg(json_build_array(id, kind, occurred_at, payload, withdraws)
                    ORDER BY occurred_at, id) FILTER (WHERE NOT is_well)::text AS events,
           array_to_json(array_agg(day) FILTER (WHERE is_well))::text AS well,
           array_to_json(array_agg(day) FILTER (
               WHERE is_well AND payload ? 'temperature_c'))::text AS measured
      FROM said GROUP BY person_id
    """
)


def pasts_of(
    session: Session | Connection, people: Collection[UUID], *, fever_c: float
) -> dict[UUID, tuple[list[Event], Well]]:
    """Return the events of some people, and apart from them the days they only said to be well."""
    found: dict[UUID, tuple[list[Event], Well]] = defaultdict(lambda: ([], NOTHING))
    asked = {"people": list(people), "fever_c": fever_c}
    for row in session.execute(_PAST, asked):
        well = Well(days=_days(row.well), measured=_days(row.measured))
        found[row.person_id] = (_events(row.events), well)
    return found


def _days(listed: str | None) -> frozenset[int]:
    return frozenset(orjson.loads(listed)) if listed else frozenset()


def _events(listed: str | None) -> list[Event]:
    return [
        Event(
            id=UUID(event_id),
            kind=kind,
            occurred_at=datetime.fromisoformat(occurred_at),
            payload=payload,
            withdraws=None if withdraws is None else UUID(withdraws),
        )
        for event_id, kind, occurred_at, payload, withdraws in orjson.loads(listed or "[]")
    ]
