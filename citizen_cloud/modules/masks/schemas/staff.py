"""What the counter sends and gets."""

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import ValidationError, validates_schema

from citizen_cloud.modules.masks.queries.counter import MOST_OF_A_DAY
from citizen_cloud.modules.masks.schemas.citizen import OUTLET
from citizen_cloud.web.fields import (
    Both,
    Day,
    Flag,
    Instant,
    Int,
    ListOf,
    OneOf,
    Part,
    QueryFlag,
    Str,
    Uuid,
)
from citizen_cloud.web.schemas import Incoming, Outgoing, PageQuery, page_of

REFERENCE = "[0-9A-Za-z]{8}"


class NewRedemptionSchema(Incoming):
    """What lies on the counter: the code, or the reference together with the document."""

    code = Str(max_length=1_000, metadata={"description": "What was scanned", "example": "HC1:..."})
    reference = Str(max_length=8, pattern=REFERENCE, metadata={"no_example": True})
    document_number = Str(max_length=32, metadata={"no_example": True})

    @validates_schema
    def check_form(self, data: dict[str, Any], **_: Any) -> None:
        """Take either the code alone, or reference and document together."""
        has_pair = "reference" in data and "document_number" in data
        has_any = "reference" in data or "document_number" in data
        if "code" in data:
            if has_any:
                raise ValidationError("unknown_field", "code")
        elif not has_pair:
            missing = "document_number" if "reference" in data else "reference"
            raise ValidationError("required", missing if has_any else "code")


class RedemptionSchema(Outgoing):
    """What to hand over."""

    id = Uuid(required=True)
    booking_id = Uuid(required=True)
    reference = Str(max_length=16, required=True, metadata={"example": "7K3MQ0TZ"})
    product_class = OneOf("adult", "child", required=True)
    product = Both(required=True)
    quantity = Int(required=True, minimum=1, metadata={"example": 2})
    person_name = Str(
        max_length=100,
        min_length=0,
        required=True,
        metadata={"description": "Masked", "example": "王*明"},
    )
    redeemed_at = Instant(required=True)
    undo_until = Instant(required=True)


class UndoneRedemptionSchema(Outgoing):
    """A hand-over that was taken back."""

    id = Uuid(required=True)
    booking_id = Uuid(required=True)


class MaskCollectionSchema(Outgoing):
    """One booking on the day's list."""

    booking_id = Uuid(required=True)
    reference = Str(max_length=16, required=True, metadata={"example": "7K3MQ0TZ"})
    status = OneOf("booked", "fulfilled", "expired", required=True)
    person_name = Str(max_length=100, min_length=0, required=True, metadata={"example": "王*明"})
    quantity = Int(required=True, minimum=1, metadata={"example": 2})
    organisation_id = Uuid(required=True)
    product_class = OneOf("adult", "child", required=True)
    window_on = Day(required=True)
    half = OneOf("am", "pm", required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    redeemed_at = Instant(required=True, allow_none=True)


MaskCollectionPageSchema = page_of(MaskCollectionSchema)


class MaskCollectionQuery(PageQuery):
    """Whose day to list; without a date today's."""

    date = Day(metadata={"description": "Collection day", "example": "2026-11-24"})
    q = Str(
        max_length=20,
        metadata={
            "description": "Beginning of a reference, or part of a name "
            f"(of at most {MOST_OF_A_DAY} bookings of the day)",
            "example": "7K3",
        },
    )


class OutletOfferSchema(Outgoing):
    """An offer as its outlet sees it, with counts."""

    id = Uuid(required=True)
    campaign_id = Uuid(required=True)
    organisation_id = Uuid(required=True)
    outlet_code = Str(max_length=32, required=True, metadata={"example": "2101010013"})
    outlet_name = Both(required=True, metadata={"example": OUTLET})
    product_class = OneOf("adult", "child", required=True)
    window_on = Day(required=True)
    half = OneOf("am", "pm", required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    status = OneOf("open", "paused", required=True, metadata={"description": "The outlet's wish"})
    slot_status = OneOf(
        "open",
        "closed",
        "cancelled",
        required=True,
        metadata={"description": "Open while campaign, outlet and offer all are"},
    )
    capacity = Int(required=True, metadata={"example": 200})
    reserved = Int(required=True, metadata={"example": 14})
    remaining = Int(required=True, metadata={"example": 186})
    counted_at = Instant(required=True)


OutletOfferPageSchema = page_of(OutletOfferSchema)


class OutletOfferQuery(PageQuery):
    """Which of the own offers to list."""

    date = Day(metadata={"description": "Collection day", "example": "2026-11-24"})


class OutletOfferChangeSchema(Incoming):
    """A new count, or whether the outlet hands out; what is left out stays."""

    capacity = Int(minimum=0, maximum=1_000_000, metadata={"example": 180})
    status = OneOf("open", "paused", metadata={"example": "open"})

    @validates_schema
    def check_any(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a change of nothing."""
        if not data:
            raise ValidationError("required", "capacity")


class OutletChangeSchema(Incoming):
    """Whether the outlet hands out at all."""

    status = OneOf("active", "paused", required=True, metadata={"example": "paused"})


class OutletStateSchema(Outgoing):
    """An outlet's state."""

    organisation_id = Uuid(required=True)
    status = OneOf("active", "paused", required=True, metadata={"example": "paused"})


class NewStockImportSchema(Incoming):
    """A stock file, CSV or XLSX."""

    file = Upload(
        required=True,
        error_messages={"required": "file_required", "null": "file_required"},
        metadata={"description": "At most 12 MB and 100,000 rows", "no_example": True},
    )
    is_partial = QueryFlag(
        load_default=False,
        data_key="partial",
        metadata={
            "description": "Apply the right rows although others are wrong",
            "example": False,
        },
    )
    on = Day(metadata={"description": "For files that name no day", "example": "2026-11-24"})
    half = OneOf("am", "pm", metadata={"description": "For files that name no half-day"})


class StockFaultSchema(Outgoing):
    """What is wrong in one place of a file."""

    row = Int(
        required=True,
        allow_none=True,
        metadata={"description": "As a spreadsheet counts; the header is row 1", "example": 17},
    )
    column = Str(
        max_length=50,
        min_length=0,
        required=True,
        allow_none=True,
        metadata={"example": "capacity"},
    )
    code = Str(max_length=64, required=True, metadata={"example": "integer_required"})
    message = Str(max_length=300, required=True, metadata={"example": "应为整数"})


class StockReportSchema(Outgoing):
    """What became of every row of a stock file."""

    rows_in = Int(required=True, metadata={"example": 120})
    accepted = Int(required=True, metadata={"example": 120})
    rejected = Int(required=True, metadata={"example": 0})
    changed = Int(required=True, metadata={"example": 3})
    unchanged = Int(required=True, metadata={"example": 117})
    applied = Flag(required=True, metadata={"example": True})
    encoding = Str(max_length=20, required=True, allow_none=True, metadata={"example": "utf-8"})
    checksum = Str(
        max_length=64,
        required=True,
        metadata={"description": "SHA-256 of the file", "example": "9f86d081884c7d65"},
    )
    error_count = Int(required=True, metadata={"example": 0})
    errors = ListOf(Part(StockFaultSchema), max_length=1_000, required=True)
