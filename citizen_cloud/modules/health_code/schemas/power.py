"""What auditors see of power: colours by hand, sources, alarms. Counts and ids, never people."""

from citizen_cloud.web.fields import Both, Flag, Instant, Int, ListOf, OneOf, Str, Uuid
from citizen_cloud.web.schemas import Outgoing, page_of


class HealthManualEventSchema(Outgoing):
    """An event two people agreed to; whose it is, is not shown."""

    id = Uuid(required=True)
    kind = OneOf("assigned", "withdrawn", required=True, metadata={"example": "assigned"})
    colour = OneOf("yellow", "red", required=True, allow_none=True, metadata={"example": "yellow"})
    reason = Str(max_length=64, required=True, metadata={"example": "close_contact"})
    approval_id = Uuid(required=True)
    unit_id = Uuid(required=True, allow_none=True, metadata={"description": "Who proposed it"})
    approved_by = ListOf(
        Uuid(), max_length=20, required=True, metadata={"description": "Units that agreed"}
    )
    recorded_at = Instant(required=True)


HealthManualEventPageSchema = page_of(HealthManualEventSchema)


class HealthSourceSchema(Outgoing):
    """A system that reports facts."""

    id = Uuid(required=True)
    name = Both(required=True, metadata={"example": {"zh": "市疾控中心", "en": "City CDC"}})
    unit_id = Uuid(required=True)
    algorithm = OneOf("Ed25519", "ES256", required=True, metadata={"example": "Ed25519"})
    kinds = ListOf(
        Str(max_length=16, metadata={"example": "test_result"}), max_length=4, required=True
    )
    cap_per_hour = Int(required=True, metadata={"example": 2_000})
    status = OneOf("active", "retired", required=True, metadata={"example": "active"})
    registered_in = Uuid(required=True, metadata={"description": "The approval"})
    created_at = Instant(required=True)
    retired_at = Instant(required=True, allow_none=True)


HealthSourcePageSchema = page_of(HealthSourceSchema)


class HealthAlarmSchema(Outgoing):
    """Power asked for beyond its bounds, or an appeal nobody answered."""

    id = Uuid(required=True)
    what = Str(max_length=32, required=True, metadata={"example": "batch_too_large"})
    title = Both(required=True, metadata={"example": {"zh": "人数超限", "en": "Too many people"}})
    actor_kind = Str(max_length=16, required=True, metadata={"example": "staff"})
    actor_id = Uuid(required=True, allow_none=True)
    unit_id = Uuid(required=True, allow_none=True)
    persons = Int(required=True, allow_none=True, metadata={"example": 1_317})
    at = Instant(required=True)


HealthAlarmPageSchema = page_of(HealthAlarmSchema)


class HealthReplaySchema(Outgoing):
    """The later of two showings, and the one before it, which may be forgotten already."""

    id = Uuid(required=True)
    what = OneOf("replayed", "cloned", required=True, metadata={"example": "replayed"})
    source = OneOf("device", "thin", "paper", required=True, metadata={"example": "thin"})
    is_let_in = Flag(
        required=True,
        metadata={"description": "The door said valid to the later one", "example": True},
    )
    place_id = Uuid(required=True, allow_none=True)
    organisation_id = Uuid(required=True, allow_none=True)
    inspector_id = Uuid(required=True)
    scanned_at = Instant(required=True)
    is_offline = Flag(required=True, metadata={"example": True})
    first_place_id = Uuid(required=True, allow_none=True)
    first_organisation_id = Uuid(required=True, allow_none=True)
    first_inspector_id = Uuid(required=True, allow_none=True)
    first_scanned_at = Instant(required=True, allow_none=True)
    first_is_offline = Flag(required=True, allow_none=True, metadata={"example": True})
    found_at = Instant(required=True)


HealthReplayPageSchema = page_of(HealthReplaySchema)
