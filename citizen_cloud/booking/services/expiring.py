"""Give back what ran out: holds nobody confirmed, and what nobody collected."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.booking.rules import MOVES
from citizen_cloud.booking.services.locks import lock_slots
from citizen_cloud.booking.services.moving import SYSTEM, act

_LAPSED = text(
    """
    SELECT id FROM booking.booking
     WHERE slot_id = :slot_id AND status = 'held'
       AND held_until <= coalesce(cast(:now AS timestamptz), statement_timestamp())
     ORDER BY id
    """
)
_UNCLAIMED = text(
    "SELECT id FROM booking.booking WHERE slot_id = :slot_id AND status = 'booked' ORDER BY id"
)
_ENDED = text(
    """
    SELECT id FROM booking.slot
     WHERE NOT settled AND module = :module
       AND ends_at <= coalesce(cast(:now AS timestamptz), statement_timestamp())
     ORDER BY id LIMIT :most FOR NO KEY UPDATE SKIP LOCKED
    """
)
_SETTLE = text("UPDATE booking.slot SET settled = true WHERE id = ANY(:ids)")


def expire_holds(session: Session, *, slot_id: UUID, now: datetime | None = None) -> int:
    """Free what was held in one slot and not confirmed in time; return how many bookings."""
    lock_slots(session, [slot_id])
    return _expire(session, "expire_hold", slot_id, _LAPSED, now)


def expire_unclaimed(
    session: Session, *, module: str, now: datetime | None = None, most: int = 200
) -> int:
    """Give back what nobody collected in slots that are over; return how many slots were settled.

    Call until it returns less than ``most``. Slots somebody works on are left for the next run.
    """
    slots = session.scalars(_ENDED, {"module": module, "now": now, "most": most}).all()
    for slot_id in slots:
        _expire(session, "expire_hold", slot_id, _LAPSED, now)
        _expire(session, "expire_unclaimed", slot_id, _UNCLAIMED, now)
    session.execute(_SETTLE, {"ids": list(slots)})
    return len(slots)


def _expire(session: Session, name: str, slot_id: UUID, due: Any, now: datetime | None) -> int:
    found = session.scalars(due, {"slot_id": slot_id, "now": now}).all()
    rows = [act(session, MOVES[name], booking_id, SYSTEM, now) for booking_id in found]
    return sum(row is not None for row in rows)
