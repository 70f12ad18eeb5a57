"""The one lock every change of an existing booking begins with."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

# NO KEY: rows that merely refer to the slot need not wait.
_LOCK_SLOTS = text("SELECT id FROM booking.slot WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
_LOCK_SLOT_OF = text(
    """
    SELECT id FROM booking.slot
     WHERE id = (SELECT slot_id FROM booking.booking WHERE id = :id) FOR NO KEY UPDATE
    """
)


def lock_slots(session: Session | Connection, slot_ids: Sequence[UUID]) -> None:
    """Lock slots in id order; what follows in a new statement sees them fresh."""
    session.execute(_LOCK_SLOTS, {"ids": slot_ids})


def lock_slot_of(session: Session | Connection, booking_id: UUID) -> bool:
    """Lock a booking's slot; return whether there is such a booking."""
    return session.execute(_LOCK_SLOT_OF, {"id": booking_id}).first() is not None
