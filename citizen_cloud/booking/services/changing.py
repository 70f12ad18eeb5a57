"""What holders and staff do with a booking: confirm, cancel, check in, undo."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.booking.queries import BookingRow, booking_facts
from citizen_cloud.booking.refusals import AlreadyRedeemed, HoldExpired, WrongState
from citizen_cloud.booking.rules import MOVES
from citizen_cloud.booking.services.moving import Actor, Changed, move_booking
from citizen_cloud.errors import NotFound, Refusal


def confirm(
    session: Session, *, booking_id: UUID, actor: Actor, now: datetime | None = None
) -> Changed:
    """Make a held booking firm. Raises ``HoldExpired`` whether or not the sweeper has run."""
    row = move_booking(session, MOVES["confirm"], booking_id, actor, now)
    if row is not None:
        return Changed(row, changed=True)
    found = _found(session, booking_id)
    if found.status == "booked":
        return Changed(found, changed=False)
    raise HoldExpired if found.status in ("held", "expired") else _wrong(found)


def cancel(
    session: Session,
    *,
    booking_id: UUID,
    actor: Actor,
    reason: str | None = None,
    now: datetime | None = None,
) -> Changed:
    """Cancel, once however often it is asked; the places and the quota come back.

    The reason is kept with the booking, where erasure finds it. Raises ``WrongState`` for what was
    collected, missed or has expired.
    """
    row = move_booking(session, MOVES["cancel"], booking_id, actor, now, reason=reason)
    if row is not None:
        return Changed(row, changed=True)
    found = _found(session, booking_id)
    if found.status == "cancelled":
        return Changed(found, changed=False)
    raise _wrong(found)


def check_in(
    session: Session, *, booking_id: UUID, actor: Actor, now: datetime | None = None
) -> Changed:
    """Mark as handed over or attended: of two clerks at once, one does it.

    Raises ``AlreadyRedeemed`` for the other, ``WrongState`` for anything not booked.
    """
    row = move_booking(session, MOVES["check_in"], booking_id, actor, now)
    if row is not None:
        return Changed(row, changed=True)
    found = _found(session, booking_id)
    if found.status == "fulfilled":
        raise AlreadyRedeemed(redeemed_at=_changed_at(session, booking_id))
    raise _wrong(found)


def undo_check_in(
    session: Session, *, booking_id: UUID, actor: Actor, now: datetime | None = None
) -> Changed:
    """Take a hand-over back; how long that is allowed is the module's rule.

    A slot that was settled is opened for settling again, so that the booking can expire.
    """
    row = move_booking(session, MOVES["undo_check_in"], booking_id, actor, now)
    if row is None:
        raise _wrong(_found(session, booking_id))
    session.execute(
        text("UPDATE booking.slot SET settled = false WHERE id = :id AND settled"),
        {"id": row.slot_id},
    )
    return Changed(row, changed=True)


def _found(session: Session, booking_id: UUID) -> BookingRow:
    row = booking_facts(session, booking_id)
    if row is None:
        raise NotFound
    return row


def _wrong(row: BookingRow) -> Refusal:
    return WrongState(booking_status=row.status)


def _changed_at(session: Session, booking_id: UUID) -> datetime:
    changed_at: datetime = session.scalar(
        text("SELECT changed_at FROM booking.booking WHERE id = :id"), {"id": booking_id}
    )
    return changed_at
