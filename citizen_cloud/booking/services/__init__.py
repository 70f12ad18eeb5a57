"""The verbs of the kernel; the only writers of its tables.

``taking`` gives places, ``changing`` and ``expiring`` move bookings along, ``slots`` keeps what can
be taken.
"""

from citizen_cloud.booking.services.changing import cancel, check_in, confirm, undo_check_in
from citizen_cloud.booking.services.expiring import expire_holds, expire_unclaimed
from citizen_cloud.booking.services.moving import SYSTEM, Actor, Changed
from citizen_cloud.booking.services.slots import (
    NewSlot,
    publish_slots,
    resize_slot,
    resize_slots,
    set_slot_status,
)
from citizen_cloud.booking.services.taking import Booked, Order, book, hold

__all__ = [
    "SYSTEM",
    "Actor",
    "Booked",
    "Changed",
    "NewSlot",
    "Order",
    "book",
    "cancel",
    "check_in",
    "confirm",
    "expire_holds",
    "expire_unclaimed",
    "hold",
    "publish_slots",
    "resize_slot",
    "resize_slots",
    "set_slot_status",
    "undo_check_in",
]
