"""Rule versions, and what a trial of one found."""

from marshmallow import fields

from citizen_cloud.modules.health_code.rules.profiles import THREE_DAYS
from citizen_cloud.modules.health_code.rules.versions import COLOURS, PROFILES
from citizen_cloud.web.fields import Flag, Instant, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.fields.codes import COMMON
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

STATES = ("draft", "shadow", "live", "retired")
_ABOUT = "What sets red and yellow off, and what ends it: docs/health-rules.md"


_RULES = {"description": _ABOUT, "example": THREE_DAYS, "maxProperties": 3}


class _Object(fields.Dict):
    """A JSON object that is read elsewhere, strictly."""

    default_error_messages = {**COMMON, "invalid": "object_required"}  # noqa: RUF012


class HealthRulesActivationSchema(Incoming):
    """Which version is to count."""

    number = Int(minimum=2, required=True, metadata={"example": 2})


class HealthFlipSchema(Incoming):
    """A change of colour."""

    # Python's own words, hence not declared as names.
    locals().update(
        {
            "from": OneOf(*COLOURS, required=True, metadata={"example": "green"}),
            "to": OneOf(*COLOURS, required=True, metadata={"example": "yellow"}),
        }
    )


class NewHealthRulesSchema(Incoming):
    """A version to be written down."""

    profile = OneOf(*PROFILES, required=True, metadata={"example": "c"})
    rules = _Object(required=True, metadata=_RULES)
    expected = ListOf(
        Part(HealthFlipSchema),
        max_length=12,
        load_default=list,
        metadata={"description": "Changes of colour that are meant; others block it when many"},
    )
    note = Str(
        max_length=500, min_length=0, load_default="", metadata={"example": "按省级通知第12号"}
    )


class HealthFlipShownSchema(Outgoing):
    """A change of colour that is meant."""

    locals().update(
        {
            "from": OneOf(*COLOURS, required=True, metadata={"example": "green"}),
            "to": OneOf(*COLOURS, required=True, metadata={"example": "yellow"}),
        }
    )


class HealthRulesSchema(Outgoing):
    """A rule version."""

    id = Uuid(required=True)
    number = Int(required=True, metadata={"example": 2})
    profile = OneOf(*PROFILES, required=True)
    rules = _Object(required=True, metadata=_RULES)
    expected = ListOf(Part(HealthFlipShownSchema), max_length=12, required=True)
    note = Str(max_length=500, min_length=0, required=True)
    status = OneOf(*STATES, required=True, metadata={"example": "draft"})
    created_at = Instant(required=True)
    live_from = Instant(required=True, allow_none=True)
    live_until = Instant(required=True, allow_none=True)


class HealthFlipCountSchema(HealthFlipShownSchema):
    """How many change so."""

    count = Int(required=True, metadata={"example": 12})
    is_expected = Flag(required=True)


class HealthFlipSampleSchema(HealthFlipShownSchema):
    """One of them, under a name that means nothing outside this run."""

    pseudonym = Str(max_length=16, required=True, metadata={"example": "9f2c4e6a8b0d1f3e"})


class HealthTrialSchema(Outgoing):
    """A shadow run."""

    id = Uuid(required=True)
    number = Int(required=True, metadata={"example": 2})
    against = Int(required=True, metadata={"description": "The version in force", "example": 1})
    status = OneOf("running", "finished", required=True)
    at = Instant(required=True, metadata={"description": "Everybody is looked at as of then"})
    total = Int(required=True, metadata={"description": "People there when it began"})
    looked_at = Int(required=True)
    unchanged = Int(required=True)
    unexpected = Int(required=True)
    flips = ListOf(Part(HealthFlipCountSchema), max_length=12, required=True)
    sample = ListOf(Part(HealthFlipSampleSchema), max_length=20, required=True)
    finished_at = Instant(required=True, allow_none=True)


HealthRulesPageSchema = page_of(HealthRulesSchema)
