"""What citizens declare, and what was said of them."""

from citizen_cloud.modules.health_code.rules import events as words
from citizen_cloud.modules.health_code.schemas.standings import HealthStatusSchema
from citizen_cloud.web.fields import (
    Day,
    Flag,
    Instant,
    Int,
    ListOf,
    Number,
    OneOf,
    Part,
    Str,
    Uuid,
)
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

AREA = "[0-9]{6}"


class NewHealthDeclarationSchema(Incoming):
    """How somebody is today."""

    temperature_c = Number(
        minimum=words.COLDEST_C,
        maximum=words.HOTTEST_C,
        metadata={"description": "Body temperature in °C", "example": 36.5},
    )
    symptoms = ListOf(
        OneOf(*words.SYMPTOMS),
        max_length=len(words.SYMPTOMS),
        required=True,
        metadata={"description": "Empty where there are none", "example": []},
    )
    contact_with_case = Flag(
        required=True,
        metadata={"description": "Contact with a case within 14 days", "example": False},
    )
    note = Str(
        max_length=500,
        metadata={"description": "Anything else; kept sealed", "example": "无其他情况"},
    )


class NewHealthTripSchema(Incoming):
    """A trip that was made."""

    from_area = Str(
        max_length=6,
        min_length=6,
        pattern=AREA,
        required=True,
        metadata={"description": "GB/T 2260 code", "example": "210200"},
    )
    to_area = Str(
        max_length=6,
        min_length=6,
        pattern=AREA,
        required=True,
        metadata={"description": "GB/T 2260 code", "example": "210100"},
    )
    departed_on = Day(required=True, metadata={"example": "2026-04-01"})
    arrived_on = Day(required=True, metadata={"example": "2026-04-01"})
    transport = OneOf(*words.TRANSPORT, required=True, metadata={"example": "train"})
    number = Str(
        max_length=32,
        metadata={"description": "Of the train or flight; kept sealed", "example": "G8056"},
    )


class HealthDeclaredSchema(Outgoing):
    """What a declaration became."""

    event_id = Uuid(required=True)
    status = Part(HealthStatusSchema, required=True)


class HealthFactsSchema(Outgoing):
    """The facts of an event; which are there depends on its kind."""

    temperature_c = Number(
        minimum=words.COLDEST_C, maximum=words.HOTTEST_C, metadata={"example": 36.5}
    )
    symptoms = ListOf(OneOf(*words.SYMPTOMS), max_length=len(words.SYMPTOMS))
    contact_with_case = Flag()
    from_area = Str(max_length=6, metadata={"example": "210200"})
    to_area = Str(max_length=6, metadata={"example": "210100"})
    departed_on = Str(max_length=10, metadata={"example": "2026-04-01"})
    arrived_on = Str(max_length=10, metadata={"example": "2026-04-01"})
    transport = OneOf(*words.TRANSPORT)
    result = OneOf(*words.RESULTS)
    exposure = OneOf(*words.EXPOSURES)
    colour = OneOf(*words.ASSIGNED_COLOURS)
    reason = OneOf(*words.ASSIGN_REASONS)
    days = Int(minimum=1, maximum=words.MOST_DAYS)


class HealthEventSchema(Outgoing):
    """One thing that was said."""

    id = Uuid(required=True)
    kind = OneOf(*words.KINDS, required=True, metadata={"example": "declared"})
    evidence = OneOf(*words.EVIDENCE, required=True, metadata={"example": "self_report"})
    source = OneOf(*words.SOURCE_KINDS, required=True, metadata={"example": "citizen"})
    occurred_at = Instant(required=True)
    recorded_at = Instant(required=True)
    facts = Part(HealthFactsSchema, required=True)
    details = Str(max_length=500, required=True, allow_none=True, metadata={"example": None})
    withdraws = Uuid(required=True, allow_none=True)
    is_withdrawn = Flag(
        required=True,
        metadata={"description": "Taken back since, and without effect", "example": False},
    )


HealthEventPageSchema = page_of(HealthEventSchema)
