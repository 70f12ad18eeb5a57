"""What the platform's administrators send and get."""

from citizen_cloud.modules.masks.rules.rationing import PROFILES
from citizen_cloud.modules.masks.schemas.citizen import MaskCampaignPageSchema, MaskCampaignSchema
from citizen_cloud.web.fields import (
    Both,
    Day,
    Instant,
    Int,
    ListOf,
    OneOf,
    Part,
    Str,
    Uuid,
    WallTime,
)
from citizen_cloud.web.schemas import Incoming, Outgoing

MOST_ITEMS = 1_000

__all__ = [
    "MaskCampaignChangeSchema",
    "MaskCampaignPageSchema",
    "MaskCampaignSchema",
    "MaskOfferBatchAnswerSchema",
    "MaskOfferBatchSchema",
    "NewMaskCampaignSchema",
]


class NewMaskConditionsSchema(Incoming):
    """Who may book; what is left out is as the profile says."""

    audience = OneOf("all", "child", "adult", metadata={"example": "all"})
    child_rule = OneOf("birth_year", "birth_date", metadata={"example": "birth_date"})
    stagger = OneOf("none", "document_digit", "birth_year_digit", metadata={"example": "none"})
    districts = ListOf(
        Str(max_length=6, min_length=2, pattern="[1-9][0-9]{1,5}", metadata={"example": "2102"}),
        max_length=100,
        metadata={"description": "Prefixes of identity numbers", "example": []},
    )


class NewMaskCampaignSchema(Incoming):
    """A campaign to add."""

    title = Both(required=True)
    product_class = OneOf("adult", "child", required=True)
    profile = OneOf(*PROFILES, required=True, metadata={"example": "TW-1"})
    conditions = Part(NewMaskConditionsSchema)
    starts_on = Day(required=True, metadata={"example": "2026-11-24"})
    ends_on = Day(required=True, metadata={"example": "2026-12-21"})
    opens_at = Instant(required=True, metadata={"example": "2026-11-23T08:00:00.000+08:00"})
    closes_at = Instant(required=True, metadata={"example": "2026-12-21T18:00:00.000+08:00"})
    morning_from = WallTime(metadata={"example": "08:00"})
    morning_until = WallTime(metadata={"example": "12:00"})
    afternoon_from = WallTime(metadata={"example": "13:00"})
    afternoon_until = WallTime(metadata={"example": "18:00"})
    status = OneOf("draft", "open", load_default="draft", metadata={"example": "open"})


class MaskCampaignChangeSchema(Incoming):
    """What may change of a campaign; the rationing may not."""

    title = Both()
    status = OneOf("open", "paused", "closed", metadata={"example": "paused"})


class NewMaskOfferSchema(Incoming):
    """Stock of one outlet for one half-day."""

    organisation_id = Uuid(required=True)
    window_on = Day(required=True, metadata={"example": "2026-11-24"})
    half = OneOf("am", "pm", required=True)
    capacity = Int(minimum=0, maximum=1_000_000, required=True, metadata={"example": 200})
    begin = WallTime(
        data_key="from",
        metadata={"description": "Else the campaign's hours", "example": "08:00"},
    )
    end = WallTime(
        data_key="until",
        metadata={"description": "At or before from: the next day", "example": "12:00"},
    )


class MaskOfferBatchSchema(Incoming):
    """Offers to publish together."""

    items = ListOf(Part(NewMaskOfferSchema), min_length=1, max_length=MOST_ITEMS, required=True)


class PublishedMaskOfferSchema(Outgoing):
    """What one item became."""

    offer_id = Uuid(required=True)
    organisation_id = Uuid(required=True)
    window_on = Day(required=True)
    half = OneOf("am", "pm", required=True)
    change = OneOf("created", "unchanged", required=True)


class MaskOfferBatchAnswerSchema(Outgoing):
    """What a batch became, in its order."""

    created = Int(required=True, metadata={"example": 1})
    unchanged = Int(required=True, metadata={"example": 0})
    items = ListOf(Part(PublishedMaskOfferSchema), max_length=MOST_ITEMS, required=True)
