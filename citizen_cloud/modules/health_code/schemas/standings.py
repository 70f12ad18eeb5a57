"""Where somebody stands, and why."""

from citizen_cloud.modules.health_code.rules.versions import COLOURS
from citizen_cloud.web.fields import Both, Instant, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Outgoing

MIDNIGHT = "2026-04-08T00:00:00.000+08:00"


class HealthReasonSchema(Outgoing):
    """A rule that is active."""

    rule = Str(required=True, max_length=32, metadata={"example": "symptoms"})
    version = Int(required=True, metadata={"description": "Version of the rules", "example": 1})
    colour = OneOf("yellow", "red", required=True)
    text = Both(
        required=True,
        metadata={
            "example": {
                "zh": "您申报了症状或发热，连续7天每日健康打卡后转绿",
                "en": "You declared symptoms or a fever; green after 7 daily check-ins in a row",
            }
        },
    )
    until = Instant(
        required=True,
        allow_none=True,
        metadata={
            "description": "When it ends at the earliest, if what it asks for is done; null where "
            "that depends on somebody else",
            "example": MIDNIGHT,
        },
    )
    event_id = Uuid(
        required=True,
        allow_none=True,
        metadata={"description": "What set it off, as `history` lists it"},
    )


class HealthStatusSchema(Outgoing):
    """Where somebody stands now."""

    colour = OneOf(*COLOURS, required=True, metadata={"example": "yellow"})
    as_of = Instant(required=True)
    reasons = ListOf(
        Part(HealthReasonSchema),
        max_length=100,
        required=True,
        metadata={"description": "Every active rule, worst first; empty while green"},
    )
    next_change_at = Instant(
        required=True,
        allow_none=True,
        metadata={
            "description": "When the colour turns by itself if nothing more is declared; always "
            "a local midnight",
            "example": MIDNIGHT,
        },
    )
    green_from = Instant(
        required=True,
        allow_none=True,
        metadata={
            "description": "When it can be green at the earliest; null while green, or where "
            "that depends on somebody else",
            "example": MIDNIGHT,
        },
    )
    streak = Int(required=True, metadata={"description": "Days of check-in in a row", "example": 3})
    codes_from = Instant(
        required=True,
        allow_none=True,
        metadata={
            "description": "A code issued before this counts no more, for the colour turned or a "
            "key was revoked: get another one with a fresh show key",
            "example": MIDNIGHT,
        },
    )
