"""What a visit's row hides, how it is bound to its row, and how its person finds it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Blind, Sealed
from citizen_cloud.modules.health_code.rules import visits as rules

OWN, ONCE = "health_code.visit.own", "health_code.visit.once"
_PLACE = "health_code.visit:visitor:{id}:{place_id}"


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who came and when; and by which values the row is found."""

    person_id: UUID
    at: datetime
    day: date
    number: int
    step: int

    @property
    def own_value(self) -> str:
        """Return what the visit is found by among its person's."""
        return rules.own_value(self.person_id, self.day, self.number)

    def as_json(self) -> dict[str, Any]:
        """Return what is sealed; of the same length for everybody."""
        return {
            "person_id": str(self.person_id),
            "at": self.at.isoformat(timespec="microseconds"),
            "day": self.day.isoformat(),
            "number": f"{self.number:02d}",
            "step": self.step,
        }


def sealing_place(visit_id: UUID, place_id: UUID) -> str:
    """Return what binds a visitor to the row and to its place: moved elsewhere it does not open."""
    return _PLACE.format(id=visit_id, place_id=place_id)


def opened(sealed: bytes, *, visit_id: UUID, place_id: UUID) -> Visitor:
    """Open who came."""
    words = crypto.current().open(sealed, place=sealing_place(visit_id, place_id))
    return _visitor(json.loads(words))


def _visitor(facts: Mapping[str, Any]) -> Visitor:
    return Visitor(
        person_id=UUID(facts["person_id"]),
        at=datetime.fromisoformat(facts["at"]),
        day=date.fromisoformat(facts["day"]),
        number=int(facts["number"]),
        step=facts["step"],
    )


def _own(words: str, row: Mapping[str, Any]) -> str:
    del row
    return _visitor(json.loads(words)).own_value


def _once(words: str, row: Mapping[str, Any]) -> str:
    found = _visitor(json.loads(words))
    return rules.once_value(row["place_id"], found.step, found.person_id)


SEALED = (
    Sealed(table="health_code.visit", column="visitor_sealed", place=_PLACE),
    Sealed(
        table="health_code.visit_opening",
        column="case_sealed",
        place="health_code.visit_opening:case:{id}",
    ),
)
BLIND = (
    Blind(
        table="health_code.visit",
        column="own_index",
        kind=OWN,
        sealed="visitor_sealed",
        value=_own,
    ),
    Blind(
        table="health_code.visit",
        column="once_index",
        kind=ONCE,
        sealed="visitor_sealed",
        value=_once,
    ),
)


@dataclass(frozen=True, kw_only=True)
class OwnVisit:
    """A visit as its person sees it."""

    id: UUID
    place_id: UUID
    place_name: dict[str, str]
    at: datetime


_OWN_VISITS = text(
    """
    SELECT v.id, v.place_id, v.visitor_sealed, p.name
      FROM health_code.visit v JOIN health_code.place p ON p.id = v.place_id
     WHERE v.own_index = ANY(cast(:keys AS bytea[]))
       AND v.hour_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
                       - interval '21 days'
    """
)
_AT = text("SELECT coalesce(cast(:now AS timestamptz), statement_timestamp())")
_FORGET = text("DELETE FROM health_code.visit WHERE own_index = ANY(cast(:keys AS bytea[]))")


def _keys_of(session: Session, person_id: UUID, now: datetime | None) -> list[bytes]:
    """Return every key a visit of these three weeks may lie under: some 1,400 hashes."""
    rings = crypto.current()
    days = rules.days_kept(session.execute(_AT, {"now": now}).scalar_one())
    values = [value for day in days for value in rules.own_values(person_id, day)]
    return [key for value in values for key in rings.lookups_of(OWN, value)]


def own_visits(session: Session, *, person_id: UUID, now: datetime | None = None) -> list[OwnVisit]:
    """Return a person's visits, newest first. Only somebody who knows the person can ask so."""
    rows = session.execute(_OWN_VISITS, {"keys": _keys_of(session, person_id, now), "now": now})
    found = [
        OwnVisit(
            id=row.id,
            place_id=row.place_id,
            place_name=row.name,
            at=opened(row.visitor_sealed, visit_id=row.id, place_id=row.place_id).at,
        )
        for row in rows
    ]
    return sorted(found, key=lambda visit: (visit.at, visit.id), reverse=True)


def forget_visits(session: Session, *, person_id: UUID, now: datetime | None = None) -> int:
    """Delete a person's visits; return how many there were."""
    return rows_changed(session, _FORGET, {"keys": _keys_of(session, person_id, now)})


_PURGE = text(
    """
    DELETE FROM health_code.visit
     WHERE id = ANY(ARRAY(
           SELECT v.id FROM health_code.visit v
            WHERE v.hour_at <= coalesce(cast(:now AS timestamptz), statement_timestamp())
                               - interval '21 days'
            LIMIT :most FOR UPDATE SKIP LOCKED))
    """
)


def purge(session: Session, *, most: int, now: datetime | None = None) -> int:
    """Delete visits that are over 21 days old, at most so many; return how many were."""
    return rows_changed(session, _PURGE, {"most": most, "now": now})
