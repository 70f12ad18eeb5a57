"""After any refusal: whose is this key, and then, from a read, the true reason.

The own key comes first. Whoever repeats the request that took the last place, or the last of a
quota, must get that booking and not be told that nothing is left.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.engine import Connection, Row

from citizen_cloud.booking.queries import BOOKINGS, BookingRow
from citizen_cloud.booking.refusals import (
    AlreadyBooked,
    LimitReached,
    NotOpen,
    SlotClosed,
    SlotFull,
)
from citizen_cloud.booking.sold_out import sold_out
from citizen_cloud.errors import IdempotencyKeyReused, NotFound

if TYPE_CHECKING:
    from citizen_cloud.booking.services.taking import Order

_OWN = text(BOOKINGS + "WHERE b.booked_by = :booked_by AND b.request_key = :request_key")
_HASH = text("SELECT request_hash FROM booking.booking WHERE id = :id")
_WHY = text(
    """
    SELECT s.status <> 'open' OR s.settled OR s.closes_at <= t.at AS is_closed,
           s.opens_at > t.at AS is_early, s.opens_at,
           greatest(s.capacity - s.taken, 0) AS remaining,
           b.id AS booking_id, a.used, a.max, a.began_on
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
      JOIN booking.slot s ON s.id = :slot_id
      LEFT JOIN booking.booking b ON b.slot_id = s.id AND b.person_id = :person_id
           AND b.status IN ('held', 'booked', 'arrived', 'fulfilled')
      LEFT JOIN booking.allowance a ON a.scope = :scope AND a.person_key = :person_key
           AND a.quota_period = :period
    """
)


def own_booking(connection: Connection, order: "Order") -> BookingRow | None:
    """Return what this request key made before. Raises ``IdempotencyKeyReused``."""
    row = connection.execute(
        _OWN, {"booked_by": order.booked_by, "request_key": order.request_key}
    ).first()
    if row is None:
        return None
    # Never changes once written, so a second statement reads the same booking.
    if bytes(connection.scalar(_HASH, {"id": row.id})) != order.request_hash:
        raise IdempotencyKeyReused
    return BookingRow._make(row)


def raise_reason(
    connection: Connection, order: "Order", *, is_over_limit: bool, now: datetime | None
) -> None:
    """Raise the reason a read shows; return when nothing stands in the way any more."""
    quota = order.quota
    row = connection.execute(
        _WHY,
        {
            "slot_id": order.slot_id,
            "person_id": order.person_id,
            "scope": quota.scope if quota else None,
            "person_key": order.person_key,
            "period": quota.period if quota else None,
            "now": now,
        },
    ).first()
    if row is None:
        raise NotFound
    if row.is_closed:
        raise SlotClosed
    if row.is_early:
        raise NotOpen(opens_at=row.opens_at)
    if row.booking_id is not None:
        raise AlreadyBooked(booking_id=str(row.booking_id))
    if is_over_limit:
        raise LimitReached(**_quota_facts(order, row))
    if row.remaining < order.quantity:
        if not row.remaining:
            sold_out.note(connection, order.slot_id)
        raise SlotFull(remaining=row.remaining)


def _quota_facts(order: "Order", row: Row[Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {"max": order.quota.max if order.quota else 0, "used": row.used or 0}
    if order.quota and order.quota.rolling_days and row.began_on:
        again_on = row.began_on + timedelta(days=order.quota.rolling_days)
        facts["again_on"] = again_on.isoformat()
    return facts
