"""Visits by place: how many an hour, and the rows of an opened window, still sealed."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

# The running hour is left out: whoever watches a band change would see one person enter.
_HOURS = text(
    """
    WITH t AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at),
    day AS (
        SELECT cast(cast(:on AS date) AS timestamp) AT TIME ZONE 'Asia/Shanghai' AS begins
    )
    SELECT h.hour_at, (SELECT count(*) FROM health_code.visit v
                        WHERE v.place_id = :place_id AND v.hour_at = h.hour_at) AS number
      FROM t, day,
           generate_series(day.begins, day.begins + interval '23 hours', interval '1 hour')
           AS h (hour_at)
     WHERE h.hour_at + interval '1 hour' <= t.at
       AND h.hour_at > t.at - interval '21 days'
     ORDER BY h.hour_at
    """
)


def hours(
    session: Session, *, place_id: UUID, on: date, now: datetime | None = None
) -> list[tuple[datetime, int]]:
    """Return the full hours of a day with their numbers of visits."""
    rows = session.execute(_HOURS, {"place_id": place_id, "on": on, "now": now})
    return [(row.hour_at, row.number) for row in rows]


@dataclass(frozen=True, kw_only=True)
class SealedVisit:
    """A visit of an opened window; its visitor is still sealed."""

    id: UUID
    place_id: UUID
    visitor_sealed: bytes


_COUNT = text(
    """
    SELECT count(*) FROM health_code.visit v
     WHERE v.place_id = :place_id AND v.hour_at >= :from_at AND v.hour_at < :until_at
    """
)
# By their random ids: the order tells nothing of who came together.
_WINDOW = text(
    """
    SELECT v.id, v.place_id, v.visitor_sealed FROM health_code.visit v
     WHERE v.place_id = :place_id AND v.hour_at >= :from_at AND v.hour_at < :until_at
       AND v.hour_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
                       - interval '21 days'
       AND (cast(:after AS uuid) IS NULL OR v.id > :after)
     ORDER BY v.id LIMIT :most
    """
)


def count_window(session: Session, *, place_id: UUID, from_at: datetime, until_at: datetime) -> int:
    """Return how many visits lie between two full hours."""
    asked = {"place_id": place_id, "from_at": from_at, "until_at": until_at}
    return int(session.execute(_COUNT, asked).scalar_one())


def window(
    session: Session,
    *,
    place_id: UUID,
    from_at: datetime,
    until_at: datetime,
    after: UUID | None,
    limit: int,
    now: datetime | None = None,
) -> list[SealedVisit]:
    """Return one page, and one row more, of the visits between two full hours."""
    asked = {
        "place_id": place_id,
        "from_at": from_at,
        "until_at": until_at,
        "after": after,
        "most": limit + 1,
        "now": now,
    }
    return [SealedVisit(**row) for row in session.execute(_WINDOW, asked).mappings()]
