"""Campaigns, offers and open stock, for citizens and anybody else."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from citizen_cloud.modules.masks.rules.rationing import PROFILES
from citizen_cloud.web.fields import (
    Both,
    Day,
    Instant,
    Int,
    ListOf,
    Number,
    OneOf,
    Part,
    QueryFlag,
    QueryInt,
    Str,
    Uuid,
    WallTime,
)
from citizen_cloud.web.schemas import Incoming, Outgoing, PageQuery, page_of

MOST_PER_BOOKING = 100
BANDS = ("100+", "30-99", "1-29", "0")
OUTLET = {"zh": "松山健康服务中心", "en": "Songshan Health Centre"}
POSITION = r"-?[0-9]{1,2}(?:\.[0-9]{1,8})?,-?[0-9]{1,3}(?:\.[0-9]{1,8})?"


class MaskQuotaSchema(Outgoing):
    """How much one person may take in one period."""

    max = Int(required=True, metadata={"description": "Pieces per person", "example": 2})
    period = OneOf("rolling", "week", required=True, metadata={"example": "rolling"})
    days = Int(
        required=True,
        minimum=1,
        metadata={
            "description": "Length of the period; a week runs Monday to Sunday",
            "example": 7,
        },
    )


class MaskConditionsSchema(Outgoing):
    """Who may book, and on which days."""

    audience = OneOf("all", "child", "adult", required=True)
    child_rule = OneOf(
        "birth_year",
        "birth_date",
        required=True,
        metadata={"description": "Whether 12 years are counted by year or to the day"},
    )
    stagger = OneOf("none", "document_digit", "birth_year_digit", required=True)
    districts = ListOf(
        Str(max_length=12, metadata={"example": "210202"}),
        max_length=100,
        required=True,
        metadata={"description": "Prefixes of identity numbers; none admits everybody"},
    )


class MaskCampaignSchema(Outgoing):
    """A distribution of one product class under one rationing."""

    id = Uuid(required=True)
    title = Both(required=True)
    product_class = OneOf("adult", "child", required=True)
    profile = OneOf(*PROFILES, required=True)
    quota = Part(MaskQuotaSchema, required=True)
    conditions = Part(MaskConditionsSchema, required=True)
    mode = OneOf("first_come", required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    opens_at = Instant(required=True, metadata={"description": "When booking begins"})
    closes_at = Instant(required=True)
    morning_from = WallTime(required=True)
    morning_until = WallTime(required=True)
    afternoon_from = WallTime(required=True)
    afternoon_until = WallTime(required=True)
    status = OneOf("draft", "open", "paused", "closed", required=True, metadata={"example": "open"})
    version = Int(required=True, minimum=1)


MaskCampaignPageSchema = page_of(MaskCampaignSchema)


class MaskPositionSchema(Outgoing):
    """A position in WGS-84."""

    latitude = Number(minimum=-90, maximum=90, required=True, metadata={"example": 25.0478})
    longitude = Number(minimum=-180, maximum=180, required=True, metadata={"example": 121.5318})


class MaskOutletSchema(Outgoing):
    """Where masks are handed out."""

    id = Uuid(required=True)
    code = Str(max_length=32, required=True, metadata={"example": "2101010013"})
    name = Both(required=True, metadata={"example": OUTLET})
    address = Str(max_length=200, required=True, metadata={"example": "台北市松山區八德路4段694號"})
    phone = Str(max_length=32, required=True, allow_none=True, metadata={"example": "02-27653147"})
    county = Str(max_length=32, required=True, metadata={"example": "台北市"})
    town = Str(max_length=32, min_length=0, required=True, metadata={"example": "松山區"})
    position = Part(MaskPositionSchema, required=True, allow_none=True)


class MaskOfferSchema(Outgoing):
    """Stock of one outlet for one half-day."""

    id = Uuid(required=True)
    outlet = Part(MaskOutletSchema, required=True)
    product_class = OneOf("adult", "child", required=True)
    window_on = Day(required=True)
    half = OneOf("am", "pm", required=True)
    starts_at = Instant(required=True, metadata={"description": "When collection begins"})
    ends_at = Instant(required=True)
    status = OneOf(
        "open",
        "not_open",
        "closed",
        required=True,
        metadata={"description": "Whether it can be booked now"},
    )
    remaining = Int(required=True, metadata={"description": "Pieces free to book", "example": 186})
    band = OneOf(*BANDS, required=True)
    counted_at = Instant(required=True, metadata={"description": "When stock was counted"})
    distance_m = Int(
        allow_none=True,
        required=True,
        metadata={"description": "From the point asked for with near", "example": None},
    )


MaskOfferPageSchema = page_of(MaskOfferSchema)


class MaskOfferQuery(PageQuery):
    """Which offers to list."""

    district = Str(
        max_length=40,
        metadata={
            "description": "County, town, both together, or an area code",
            "example": "松山區",
        },
    )
    q = Str(
        max_length=64,
        metadata={"description": "Words of the outlet's name or address", "example": "健康"},
    )
    near = Str(
        max_length=40,
        pattern=POSITION,
        metadata={
            "description": "Latitude,longitude in WGS-84: nearest first",
            "example": "25.05,121.53",
        },
    )
    radius = QueryInt(
        minimum=100,
        maximum=50_000,
        load_default=5_000,
        metadata={"description": "With near: how far, in metres", "example": 5_000},
    )
    available = QueryFlag(
        load_default=False,
        metadata={"description": "Only what can be booked now", "example": True},
    )

    @validates_schema
    def check_near(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a position that is not on the earth."""
        if "near" in data:
            latitude, longitude = position(data["near"])
            if abs(latitude) > 90 or abs(longitude) > 180:  # noqa: PLR2004
                raise ValidationError("position_required", "near")


def position(near: str) -> tuple[float, float]:
    """Return latitude and longitude of a ``near`` parameter."""
    latitude, longitude = near.split(",")
    return float(latitude), float(longitude)


class NewMaskBookingSchema(Incoming):
    """How many pieces to book."""

    quantity = Int(minimum=1, maximum=MOST_PER_BOOKING, required=True, metadata={"example": 2})


class MaskStockQuery(Incoming):
    """Which part of the open stock to read."""

    district = Str(
        max_length=40,
        metadata={
            "description": "County, town, both together, or an area code",
            "example": "花蓮縣",
        },
    )
    limit = QueryInt(minimum=1, maximum=1_000, load_default=500, metadata={"example": 500})
    cursor = Str(
        max_length=500,
        metadata={"description": "Where the page before ended; opaque", "example": "eyJhIjoxfQ"},
    )


class MaskStockSchema(Outgoing):
    """What is free to book at one outlet for one half-day, in a band."""

    offer_id = Uuid(required=True)
    register = Str(max_length=32, required=True, metadata={"example": "nhi-tw"})
    outlet_code = Str(max_length=32, required=True, metadata={"example": "2101010013"})
    outlet_name = Both(required=True, metadata={"example": OUTLET})
    address = Str(max_length=200, required=True, metadata={"example": "台北市松山區八德路4段694號"})
    county = Str(max_length=32, required=True, metadata={"example": "台北市"})
    town = Str(max_length=32, min_length=0, required=True, metadata={"example": "松山區"})
    product_class = OneOf("adult", "child", required=True)
    window_on = Day(required=True)
    half = OneOf("am", "pm", required=True)
    band = OneOf(*BANDS, required=True)
    counted_at = Instant(required=True)


class MaskStockPageSchema(Outgoing):
    """One page of the open stock."""

    as_of = Instant(required=True, metadata={"description": "When this was read"})
    items = ListOf(Part(MaskStockSchema), max_length=1_000, required=True)
    next_cursor = Str(max_length=500, required=True, allow_none=True, metadata={"example": None})
