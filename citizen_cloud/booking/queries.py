"""Reads of bookings: each one SELECT over booking, slot and the slot's words."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.booking.rules import HOLDING
from citizen_cloud.manifest import BookingFacts


class BookingRow(NamedTuple):
    """Everything a booking's JSON needs; the order is that of ``BOOKINGS``."""

    id: UUID
    module: str
    status: str
    reference: str
    quantity: int
    held_until: datetime | None
    booked_at: datetime
    slot_id: UUID
    organisation_id: UUID
    person_id: UUID
    booked_by: UUID
    starts_at: datetime
    ends_at: datetime
    title: dict[str, str]
    place: dict[str, str]

    @property
    def facts(self) -> BookingFacts:
        """The booking as policies see it."""
        return BookingFacts(
            id=self.id,
            module=self.module,
            organisation_id=self.organisation_id,
            slot_id=self.slot_id,
            person_id=self.person_id,
            booked_by=self.booked_by,
            quantity=self.quantity,
            status=self.status,
            held_until=self.held_until,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )


BOOKINGS = """
SELECT b.id, s.module, b.status, b.reference, b.quantity, b.held_until, b.booked_at, b.slot_id,
       s.organisation_id, b.person_id, b.booked_by, s.starts_at, s.ends_at, w.title, w.place
  FROM booking.booking b JOIN booking.slot s ON s.id = b.slot_id
  LEFT JOIN booking.slot_text w ON w.slot_id = b.slot_id
"""
_ONE = text(BOOKINGS + "WHERE b.id = :id")
_BY_REFERENCE = text(BOOKINGS + "WHERE b.reference = :reference")
_OF_PERSON = text(
    BOOKINGS
    + """
    WHERE b.person_id = :person_id
      AND (cast(:status AS text) IS NULL OR b.status = :status)
      AND (cast(:modules AS text[]) IS NULL OR s.module = ANY(:modules))
      AND (cast(:before AS uuid) IS NULL OR b.id < :before)
    ORDER BY b.id DESC LIMIT :limit
    """
)
_AGENDA = text(
    BOOKINGS
    + """
    WHERE b.person_id = :person_id AND b.status IN ('held', 'booked', 'arrived')
      AND (cast(:modules AS text[]) IS NULL OR s.module = ANY(:modules))
      AND s.ends_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
      AND (b.status <> 'held'
           OR b.held_until > coalesce(cast(:now AS timestamptz), statement_timestamp()))
    ORDER BY s.starts_at, b.id LIMIT :limit
    """
)
_OF_SLOT = text(BOOKINGS + "WHERE b.slot_id = :slot_id AND b.status = ANY(:statuses) ORDER BY b.id")


def booking_facts(session: Session | Connection, booking_id: UUID) -> BookingRow | None:
    """Return one booking, or nothing."""
    return _first(session, _ONE, {"id": booking_id})


def booking_by_reference(session: Session | Connection, reference: str) -> BookingRow | None:
    """Return the booking a citizen names at a counter; the caller checks the document."""
    return _first(session, _BY_REFERENCE, {"reference": reference.strip().upper()})


def bookings_of(
    session: Session | Connection,
    person_id: UUID,
    status: str | None = None,
    cursor: UUID | None = None,
    limit: int = 20,
    *,
    modules: Collection[str] | None = None,
) -> list[BookingRow]:
    """Return a person's bookings, newest first, behind ``cursor`` (the last row's id).

    Ids are UUIDv7, so the order of ids is the order of booking. With ``modules``, of those only.
    """
    return _all(
        session,
        _OF_PERSON,
        {
            "person_id": person_id,
            "status": status,
            "before": cursor,
            "limit": limit,
            "modules": _named(modules),
        },
    )


def agenda(
    session: Session | Connection,
    person_id: UUID,
    now: datetime | None = None,
    limit: int = 20,
    modules: Collection[str] | None = None,
) -> list[BookingRow]:
    """Return what lies ahead of a person, in every module or in some, soonest first: one SELECT."""
    values = {"person_id": person_id, "now": now, "limit": limit, "modules": _named(modules)}
    return _all(session, _AGENDA, values)


def _named(modules: Collection[str] | None) -> list[str] | None:
    return None if modules is None else sorted(modules)


def bookings_in(
    session: Session | Connection, slot_id: UUID, statuses: tuple[str, ...] = HOLDING
) -> list[BookingRow]:
    """Return a slot's bookings in some statuses, in the order they were made."""
    return _all(session, _OF_SLOT, {"slot_id": slot_id, "statuses": list(statuses)})


def _first(session: Session | Connection, sql: Any, values: dict[str, Any]) -> BookingRow | None:
    row = session.execute(sql, values).first()
    return None if row is None else BookingRow._make(row)


def _all(session: Session | Connection, sql: Any, values: dict[str, Any]) -> list[BookingRow]:
    return [BookingRow._make(row) for row in session.execute(sql, values)]
