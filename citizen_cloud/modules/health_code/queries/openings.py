"""Opened records: one of them, an authority's, everybody's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class OpeningRow:
    """An opened record as it stands; ``is_over`` by the database's clock."""

    id: UUID
    unit_id: UUID
    place_id: UUID
    place_name: dict[str, str]
    from_at: datetime
    until_at: datetime
    case_sealed: bytes
    opened_at: datetime
    ends_at: datetime
    reads: int
    shown: int
    last_read_at: datetime | None
    is_over: bool


_COLUMNS = """
    o.id, o.unit_id, o.place_id, p.name AS place_name, o.from_at, o.until_at, o.case_sealed,
    o.opened_at, o.ends_at, o.reads, o.shown, o.last_read_at,
    o.ends_at <= coalesce(cast(:now AS timestamptz), statement_timestamp()) AS is_over
"""
# Two readers at once are counted one after the other.
_ONE = text(
    f"""
    SELECT {_COLUMNS} FROM health_code.visit_opening o
      JOIN health_code.place p ON p.id = o.place_id
     WHERE o.id = :id FOR UPDATE OF o
    """  # noqa: S608 - no values
)
_LIST = text(
    f"""
    SELECT {_COLUMNS} FROM health_code.visit_opening o
      JOIN health_code.place p ON p.id = o.place_id
     WHERE (cast(:units AS uuid[]) IS NULL OR o.unit_id = ANY(cast(:units AS uuid[])))
       AND (cast(:after AS uuid) IS NULL OR o.id < :after)
     ORDER BY o.id DESC LIMIT :most
    """  # noqa: S608 - no values
)


def locked(session: Session, opening_id: UUID, *, now: datetime | None = None) -> OpeningRow | None:
    """Return one opening and keep it as it is until the transaction ends."""
    found = session.execute(_ONE, {"id": opening_id, "now": now}).mappings().first()
    return OpeningRow(**found) if found else None


def openings(
    session: Session,
    *,
    unit_ids: Sequence[UUID] | None,
    after: UUID | None,
    limit: int,
    now: datetime | None = None,
) -> list[OpeningRow]:
    """Return one page, and one row more, newest first; of all units where none is given."""
    asked = {
        "units": None if unit_ids is None else list(unit_ids),
        "after": after,
        "most": limit + 1,
        "now": now,
    }
    return [OpeningRow(**row) for row in session.execute(_LIST, asked).mappings()]


_NAMES = text(
    "SELECT id, name_sealed FROM accounts.person WHERE id = ANY(:ids) AND erased_at IS NULL"
)


def sealed_names(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """Return the sealed names of persons who are still there."""
    rows = session.execute(_NAMES, {"ids": list(person_ids)})
    return {row.id: row.name_sealed for row in rows}
