"""Public authorities, as those who hold powers here work for them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, kw_only=True)
class Unit:
    """An open public authority and the area its rate is counted for."""

    id: UUID
    area: str


# Six digits of GB/T 2260 are a district; without them its words are.
_UNIT = text(
    """
    SELECT id, coalesce(left(area_code, 6), left(county || town, 32)) AS area
      FROM organisations.organisation
     WHERE id = :id AND kind = 'authority' AND status = 'active'
    """
)


def authority(session: Session, unit_id: UUID) -> Unit | None:
    """Return an open authority; None for any other place."""
    found = session.execute(_UNIT, {"id": unit_id}).first()
    return None if found is None else Unit(id=found.id, area=found.area)
