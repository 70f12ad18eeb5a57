"""Heads of the chain: what is published, so that nobody can rewrite what lies before."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class Head:
    """The last link at some time. ``day`` is the city's day it was published on."""

    number: int
    hash: bytes
    sealed_at: datetime
    day: date


_PRESENT = text(
    """
    SELECT number, hash, sealed_at,
           (statement_timestamp() AT TIME ZONE 'Asia/Shanghai')::date AS day
      FROM audit.seal ORDER BY number DESC LIMIT 1
    """
)
_NOTE = text(
    """
    INSERT INTO audit.head (day_on, number, hash, sealed_at)
    VALUES (:day, :number, :hash, :sealed_at) ON CONFLICT DO NOTHING
    """
)
_DAILY = text(
    """
    SELECT DISTINCT ON (day_on) number, hash, sealed_at, day_on AS day FROM audit.head
     WHERE day_on < :before
     ORDER BY day_on DESC, number DESC LIMIT :limit
    """
)


def present_head(session: Session) -> Head | None:
    """Return the last link of the chain; None while nothing is sealed."""
    row = session.execute(_PRESENT).mappings().first()
    return None if row is None else _head(row)


def note_head(session: Session) -> Head | None:
    """Keep the present head for its day and return it; twice the same is once."""
    head = present_head(session)
    if head is not None:
        session.execute(
            _NOTE,
            {
                "day": head.day,
                "number": head.number,
                "hash": head.hash,
                "sealed_at": head.sealed_at,
            },
        )
    return head


def daily_heads(session: Session, *, before: date, limit: int) -> list[Head]:
    """Return the last head kept of each day, newest first."""
    rows = session.execute(_DAILY, {"before": before, "limit": limit}).mappings()
    return [_head(row) for row in rows]


def known_heads(session: Session) -> list[tuple[int, bytes]]:
    """Return every head that was kept, as number and hash."""
    rows = session.execute(text("SELECT number, hash FROM audit.head ORDER BY number"))
    return [(row.number, bytes(row.hash)) for row in rows]


def _head(row: RowMapping) -> Head:
    return Head(
        number=row["number"],
        hash=bytes(row["hash"]),
        sealed_at=row["sealed_at"],
        day=row["day"],
    )
