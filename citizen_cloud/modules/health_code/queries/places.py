"""Places: one of them, and those of some organisations."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

COLUMNS = (
    "p.id, p.organisation_id, p.name, p.area_code, p.max_status_age_s, p.accepts_thin, "
    "p.accepts_paper, p.needs_nonce, p.admits_yellow, p.status, p.version"
)


@dataclass(frozen=True, kw_only=True)
class PlaceRow:
    """A place as it stands; its secret aside."""

    id: UUID
    organisation_id: UUID
    name: dict[str, str]
    area_code: str
    max_status_age_s: int
    accepts_thin: bool
    accepts_paper: bool
    needs_nonce: bool
    admits_yellow: bool
    status: str
    version: int

    @property
    def is_open(self) -> bool:
        """Return whether the place is in use."""
        return self.status == "open"


_ONE = text(f"SELECT {COLUMNS} FROM health_code.place p WHERE p.id = :id")  # noqa: S608 - no values
_LIST = text(
    f"""
    SELECT {COLUMNS} FROM health_code.place p
     WHERE (:everywhere OR p.organisation_id = ANY(cast(:organisations AS uuid[])))
       AND (cast(:after AS uuid) IS NULL OR p.id > :after)
     ORDER BY p.id LIMIT :most
    """  # noqa: S608 - no values
)


def place(session: Session, place_id: UUID) -> PlaceRow | None:
    """Return one place, closed or open."""
    found = session.execute(_ONE, {"id": place_id}).mappings().first()
    return PlaceRow(**found) if found else None


def places(
    session: Session,
    *,
    organisation_ids: Sequence[UUID],
    everywhere: bool = False,
    after: UUID | None,
    limit: int,
) -> list[PlaceRow]:
    """Return one page, and one row more, of the places of these organisations."""
    values = {
        "organisations": list(organisation_ids),
        "everywhere": everywhere,
        "after": after,
        "most": limit + 1,
    }
    return [PlaceRow(**row) for row in session.execute(_LIST, values).mappings()]
