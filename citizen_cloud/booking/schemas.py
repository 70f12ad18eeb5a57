"""A booking as JSON, the same in every module and list."""

from collections.abc import Iterable
from typing import Any

from citizen_cloud.booking.queries import BookingRow
from citizen_cloud.web.fields import Both, Instant, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Outgoing

STATUSES = ("held", "booked", "arrived", "fulfilled", "cancelled", "noshow", "expired")


class BookingSlotSchema(Outgoing):
    """Where and when."""

    id = Uuid(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    title = Both(required=True)
    place = Both(
        required=True,
        metadata={"example": {"zh": "人民路药店", "en": "Renmin Road Pharmacy"}},
    )


class BookingPersonSchema(Outgoing):
    """For whom; never the whole name."""

    name = Str(required=True, max_length=100, metadata={"example": "王*明"})


class BookingSchema(Outgoing):
    """A holder's places in a slot."""

    id = Uuid(required=True)
    module = Str(required=True, max_length=32, metadata={"example": "masks"})
    status = OneOf(*STATUSES, required=True, metadata={"example": "booked"})
    reference = Str(
        required=True,
        max_length=16,
        metadata={"description": "To be said at the counter", "example": "7K3MQ0TZ"},
    )
    quantity = Int(required=True, minimum=1, metadata={"example": 1})
    held_until = Instant(required=True, allow_none=True)
    booked_at = Instant(required=True)
    slot = Part(BookingSlotSchema, required=True)
    person = Part(BookingPersonSchema, required=True)
    actions = ListOf(
        OneOf("show", "cancel", "confirm"),
        max_length=3,
        required=True,
        metadata={"description": "What may be done with it now", "example": ["show", "cancel"]},
    )


def booking_json(row: BookingRow, *, masked_name: str, actions: Iterable[str]) -> dict[str, Any]:
    """Return what ``BookingSchema`` dumps."""
    return {
        "id": row.id,
        "module": row.module,
        "status": row.status,
        "reference": row.reference,
        "quantity": row.quantity,
        "held_until": row.held_until,
        "booked_at": row.booked_at,
        "slot": {
            "id": row.slot_id,
            "starts_at": row.starts_at,
            "ends_at": row.ends_at,
            "title": row.title,
            "place": row.place,
        },
        "person": {"name": masked_name},
        "actions": [str(action) for action in actions],
    }
