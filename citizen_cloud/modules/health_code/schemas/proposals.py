"""What proposals of this module's kinds say."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from citizen_cloud.accounts.rules.documents import DOCUMENT_TYPES
from citizen_cloud.modules.health_code.rules.batches import KINDS, MOST_FILE_ROWS
from citizen_cloud.modules.health_code.rules.events import ASSIGNED_COLOURS
from citizen_cloud.modules.health_code.rules.hand import LONGEST_DAYS, MOST_READ
from citizen_cloud.modules.health_code.rules.signatures import ALGORITHMS
from citizen_cloud.web.fields import Both, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming

MOST_EVENTS = 50
DOCUMENT = ("document_type", "document_number", "name")


class HealthAssignedPersonSchema(Incoming):
    """Somebody by document and name, or by the id an appeal or report shows."""

    person_id = Uuid(metadata={"no_example": True})
    document_type = OneOf(*DOCUMENT_TYPES, metadata={"example": "resident_id"})
    document_number = Str(max_length=32, metadata={"example": "11010519491231002X"})
    name = Str(max_length=50, metadata={"example": "王小明"})

    @validates_schema
    def check_form(self, data: dict[str, Any], **_: Any) -> None:
        """Take either the id alone, or document and name together."""
        given = [name for name in DOCUMENT if name in data]
        if "person_id" in data and given:
            raise ValidationError("unknown_field", given[0])
        if "person_id" not in data and len(given) < len(DOCUMENT):
            missing = next(name for name in DOCUMENT if name not in data)
            raise ValidationError("required", missing)


class HealthAssignPayloadSchema(Incoming):
    """Which colour, for whom, and for how many days at most."""

    persons = ListOf(
        Part(HealthAssignedPersonSchema), min_length=1, max_length=MOST_READ, required=True
    )
    colour = OneOf(*ASSIGNED_COLOURS, required=True, metadata={"example": "yellow"})
    days = Int(minimum=1, maximum=LONGEST_DAYS, required=True, metadata={"example": 7})


class HealthCorrectPayloadSchema(Incoming):
    """Which events are withdrawn, and for which appeal."""

    event_ids = ListOf(Uuid(), min_length=1, max_length=MOST_EVENTS, required=True)
    appeal_id = Uuid()


class HealthSourcePayloadSchema(Incoming):
    """A system that is to report facts: its key, what it may say, and how much in an hour."""

    client_id = Uuid(required=True, metadata={"description": "The system's client"})
    name = Both(required=True, metadata={"example": {"zh": "市疾控中心", "en": "City CDC"}})
    algorithm = OneOf(*ALGORITHMS, required=True, metadata={"example": "Ed25519"})
    public_key = Str(
        max_length=44,
        pattern="[A-Za-z0-9_-]{43,44}",
        required=True,
        metadata={
            "description": "base64url: 32 bytes of Ed25519, or a compressed P-256 point",
            "example": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        },
    )
    kinds = ListOf(OneOf(*KINDS), min_length=1, max_length=len(KINDS), required=True)
    cap_per_hour = Int(
        minimum=1, maximum=MOST_FILE_ROWS, required=True, metadata={"example": 2_000}
    )


class HealthRetirePayloadSchema(Incoming):
    """Which source is retired."""

    source_id = Uuid(required=True)


class HealthReleasePayloadSchema(Incoming):
    """Which batch is let pass."""

    batch_id = Uuid(required=True)
