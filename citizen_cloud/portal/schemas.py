"""What the portal takes and gives."""

from typing import Any

from marshmallow import fields, validate

from citizen_cloud.booking.schemas import BookingSchema
from citizen_cloud.web.fields import Both, Day, Flag, Instant, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, PageQuery, page_of

# What a setting may be; its own bounds stand beside it.
VALUE = {
    "type": ["integer", "boolean", "string"],
    "minimum": -2_147_483_648,
    "maximum": 2_147_483_647,
    "maxLength": 500,
    "example": 12,
}
STATES = ("draft", "active", "read_only", "draining", "off", "sunset")
BOOKING_STATUSES = ("held", "booked", "arrived", "fulfilled", "cancelled", "noshow", "expired")


class TileSchema(Outgoing):
    """A service on the home screen."""

    module = Str(max_length=32, metadata={"example": "masks"})
    title = Both()
    icon = Str(max_length=64, metadata={"example": "mask"})
    path = Str(max_length=200, metadata={"example": "/masks"})
    state = OneOf(*STATES, metadata={"example": "active"})
    badge = Int(metadata={"description": "Things waiting for the citizen", "example": 1})


class ModuleSchema(Outgoing):
    """A service of the catalogue."""

    name = Str(max_length=32, metadata={"example": "masks"})
    title = Both()
    state = OneOf(*STATES, metadata={"example": "active"})


class ModulesSchema(Outgoing):
    """The services that are on."""

    items = ListOf(Part(ModuleSchema), max_length=200)


class AgendaItemSchema(Outgoing):
    """Something coming up, of any module."""

    id = Uuid()
    module = Str(max_length=32, metadata={"example": "masks"})
    status = OneOf(*BOOKING_STATUSES, metadata={"example": "booked"})
    reference = Str(max_length=16, metadata={"example": "K7QM-3XPD"})
    quantity = Int(minimum=1, metadata={"example": 2})
    starts_at = Instant()
    ends_at = Instant()
    title = Both()
    place = Both()


class AgendaSchema(Outgoing):
    """Everything coming up, soonest first."""

    items = ListOf(Part(AgendaItemSchema), max_length=100)


class HomeSchema(Outgoing):
    """The first screen in one call."""

    unread_messages = Int(metadata={"example": 2})
    tiles = ListOf(Part(TileSchema), max_length=200)
    next = ListOf(Part(AgendaItemSchema), max_length=5)
    server_time = Instant()


class AppConfigSchema(Outgoing):
    """What an app asks before anything else."""

    min_version = Str(max_length=20, metadata={"example": "1.0.0"})
    latest_version = Str(max_length=20, metadata={"example": "1.0.0"})
    languages = ListOf(Str(max_length=10), max_length=10, metadata={"example": ["zh-CN", "en"]})
    modules = ListOf(Part(ModuleSchema), max_length=200)
    server_time = Instant()


class BookingsQuery(PageQuery):
    """Which of my bookings."""

    status = OneOf(*BOOKING_STATUSES, metadata={"description": "Only this status"})


class CancelSchema(Incoming):
    """Why a booking is cancelled; may be left out."""

    reason = Str(max_length=200, metadata={"example": "临时有事"})


class CodeSchema(Outgoing):
    """A code to show at the counter."""

    code = Str(max_length=2000, metadata={"example": "CC1:6BF…"})
    reference = Str(max_length=16, metadata={"example": "K7QM-3XPD"})
    not_before = Instant()
    expires_at = Instant()
    server_time = Instant()


class SwitchSchema(Outgoing):
    """A module as administrators see it."""

    name = Str(max_length=32, metadata={"example": "masks"})
    title = Both()
    state = OneOf(*STATES, "quarantined", metadata={"example": "active"})
    reason = Str(max_length=500, min_length=0, metadata={"example": "开始预约"})
    version = Int(metadata={"example": 3})
    changed_at = Instant(allow_none=True)


class SwitchesSchema(Outgoing):
    """Every installed module, and those set aside with their reason."""

    items = ListOf(Part(SwitchSchema), max_length=200)


class StateSchema(Incoming):
    """The state a module is to be in, and why; the reason is audited."""

    state = OneOf(*STATES, required=True, metadata={"example": "active"})
    reason = Str(required=True, max_length=500, min_length=2, metadata={"example": "开始预约"})


class SettingSchema(Outgoing):
    """One setting with its bounds."""

    name = Str(max_length=64, metadata={"example": "reminder_hours"})
    title = Both()
    kind = OneOf("integer", "boolean", "string", metadata={"example": "integer"})
    value = fields.Raw(metadata=VALUE)
    default = fields.Raw(metadata=VALUE)
    minimum = Int(allow_none=True, minimum=-2_147_483_648)
    maximum = Int(allow_none=True, minimum=-2_147_483_648)


class SettingsSchema(Outgoing):
    """A module's settings."""

    name = Str(max_length=32, metadata={"example": "masks"})
    version = Int(metadata={"example": 3})
    items = ListOf(Part(SettingSchema), max_length=200)


def _check_text(value: Any) -> None:
    """Refuse texts no other field would take either. Raises ``ValidationError``."""
    if isinstance(value, str):
        _TEXT.deserialize(value)


_TEXT = Str(min_length=0, max_length=500)


class NewSettingsSchema(Incoming):
    """The values to set; what is left out goes back to its default."""

    settings = fields.Dict(
        required=True,
        keys=Str(max_length=64),
        values=fields.Raw(validate=_check_text, metadata=VALUE),
        validate=validate.Length(max=200, error="length"),
        error_messages={"required": "required", "invalid": "object_required", "null": "null"},
        metadata={"example": {}, "maxProperties": 200},
    )


class AuditQuery(PageQuery):
    """Which audit entries."""

    action = Str(max_length=64, metadata={"description": "Only this act", "example": "module.off"})
    object_id = Uuid(metadata={"description": "Only acts on this object"})
    on = Day(metadata={"description": "Only this city day"})


class AuditEntrySchema(Outgoing):
    """One sensitive act; ``number`` is its place in the sealed chain."""

    id = Uuid()
    number = Int(allow_none=True, metadata={"example": 17})
    at = Instant()
    actor_kind = Str(max_length=16, metadata={"example": "admin"})
    actor_id = Uuid(allow_none=True)
    action = Str(max_length=64, metadata={"example": "module.active"})
    object_type = Str(max_length=32, metadata={"example": "module"})
    object_id = Uuid(allow_none=True)
    organisation_id = Uuid(allow_none=True)
    payload = fields.Dict(metadata={"example": {"reason": "开始预约"}, "maxProperties": 50})
    redacted = Flag(metadata={"description": "Erased on legal grounds", "example": False})


class HeadsQuery(PageQuery):
    """Which heads of the audit chain."""


class AuditHeadSchema(Outgoing):
    """The last link of the chain at some time."""

    number = Int(minimum=1, metadata={"example": 1317})
    hash = Str(
        max_length=64,
        metadata={"description": "SHA-256 in hexadecimal digits", "example": "9f86d081…"},
    )
    sealed_at = Instant()
    day = Day(metadata={"description": "The city's day it was published on"})
    signed = Str(max_length=2000, metadata={"description": "JWS", "example": "eyJhbGciOi…"})


BookingPageSchema = page_of(BookingSchema)
AuditPageSchema = page_of(AuditEntrySchema)
HeadPageSchema = page_of(AuditHeadSchema)
