"""The colour a code may say: what counts now, written down before anything is signed by it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.queries.showable import NO_COLOUR, Coloured, coloured
from citizen_cloud.modules.health_code.rules.not_given import NoStatus
from citizen_cloud.modules.health_code.services.colours.refolding import fold_anew


def settled(
    session: Session, known: Coloured, *, person_id: UUID, now: datetime | None = None
) -> Coloured:
    """Return where a person stands; a turn that is due is written first, and ends old codes.

    Raises ``NoStatus`` where there is no colour.
    """
    found = known
    if known.is_due:
        fold_anew(session, [person_id], now)
        found = coloured(session, person_id=person_id, now=now)
    if found.colour == NO_COLOUR:
        raise NoStatus
    return found
