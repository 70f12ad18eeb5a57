"""Enter a place: a colour for each who came, a sealed visit for each who went in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.clock import local_day
from citizen_cloud.modules.health_code.queries.places import PlaceRow
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.rules import visits as rules
from citizen_cloud.modules.health_code.rules.place_refusals import TooManyVisits
from citizen_cloud.modules.health_code.services.places.place_codes import Scanned, scanned
from citizen_cloud.modules.health_code.services.places.sealed_visits import (
    ONCE,
    OWN,
    Visitor,
    sealing_place,
)
from citizen_cloud.text import Text


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One of those who came: the colour, whether they may enter, and their visit if they did."""

    person_id: UUID
    colour: str
    outcome: rules.Outcome
    words: Text
    visit_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Entered:
    """What a scan led to."""

    place: PlaceRow
    at: datetime
    entries: list[Entry]

    @property
    def is_admitted(self) -> bool:
        """Return whether everybody may enter."""
        return all(entry.outcome != "refused" for entry in self.entries)


def enter(
    session: Session,
    *,
    place_id: UUID,
    place_code: str,
    person_ids: Sequence[UUID],
    now: datetime | None = None,
) -> Entered:
    """Answer for everybody who came, and note those who may enter.

    A code that does not count raises before anything is read or written: no visit, no colour.
    A second scan of the same code by the same person is the same visit.
    """
    scan = scanned(session, place_id=place_id, sent=place_code, now=now)
    _lock(session, person_ids)
    entries = [_entry(session, scan, person_id) for person_id in dict.fromkeys(person_ids)]
    return Entered(place=scan.place, at=scan.at, entries=entries)


_LOCK = text(
    """
    SELECT pg_advisory_xact_lock(n)
      FROM (SELECT DISTINCT unnest(cast(:numbers AS bigint[])) AS n ORDER BY n) o
    """
)


def _lock(session: Session, person_ids: Sequence[UUID]) -> None:
    """Let one scan at a time number the visits of a person."""
    rings = crypto.current()
    numbers = {
        n for each in person_ids for n in rings.lock_numbers("health_code.visits", str(each))
    }
    session.execute(_LOCK, {"numbers": sorted(numbers)})


def _entry(session: Session, scan: Scanned, person_id: UUID) -> Entry:
    standing = standing_of(session, person_id)
    colour = "none" if standing is None else standing.colour
    outcome, words = rules.outcome_of(colour, admits_yellow=scan.place.admits_yellow)
    return Entry(
        person_id=person_id,
        colour=colour,
        outcome=outcome,
        words=words,
        visit_id=None if outcome == "refused" else _visit(session, scan, person_id),
    )


_BEFORE = text("SELECT id FROM health_code.visit WHERE once_index = ANY(cast(:keys AS bytea[]))")
_TAKEN = text(
    "SELECT own_index FROM health_code.visit WHERE own_index = ANY(cast(:keys AS bytea[]))"
)
_INSERT = text(
    """
    INSERT INTO health_code.visit (id, place_id, hour_at, visitor_sealed, own_index, once_index)
    VALUES (:id, :place_id, :hour_at, :sealed, :own_index, :once_index)
    """
)


def _visit(session: Session, scan: Scanned, person_id: UUID) -> UUID:
    """Return the visit of this scan, made now unless it was there."""
    rings = crypto.current()
    once = rules.once_value(scan.place.id, scan.step, person_id)
    before: UUID | None = session.scalar(_BEFORE, {"keys": rings.lookups_of(ONCE, once)})
    if before is not None:
        return before
    visit_id = uuid4()
    visitor = Visitor(
        person_id=person_id,
        at=scan.at,
        day=local_day(scan.at),
        number=_free_number(session, scan, person_id),
        step=scan.step,
    )
    session.execute(
        _INSERT,
        {
            "id": visit_id,
            "place_id": scan.place.id,
            "hour_at": rules.hour_of(scan.at),
            "sealed": rings.seal(
                json.dumps(visitor.as_json()), place=sealing_place(visit_id, scan.place.id)
            ),
            "own_index": rings.lookup(OWN, visitor.own_value),
            "once_index": rings.lookup(ONCE, once),
        },
    )
    return visit_id


def _free_number(session: Session, scan: Scanned, person_id: UUID) -> int:
    """Return the first number of the day that no visit has, under any key still held."""
    rings = crypto.current()
    values = rules.own_values(person_id, local_day(scan.at))
    keys = [rings.lookups_of(OWN, value) for value in values]
    asked = {"keys": [key for each in keys for key in each]}
    taken = {bytes(key) for key in session.scalars(_TAKEN, asked)}
    free = (number for number, each in enumerate(keys) if taken.isdisjoint(each))
    number = next(free, None)
    if number is None:
        raise TooManyVisits
    return number
