"""Rows as clients get them."""

from datetime import datetime
from typing import Any

from sqlalchemy.engine import RowMapping

from citizen_cloud.clock import local
from citizen_cloud.modules.masks.queries.campaigns import CampaignRow
from citizen_cloud.modules.masks.queries.stock import OutletOffer
from citizen_cloud.modules.masks.rules.rationing import PRODUCTS, PROFILES
from citizen_cloud.modules.masks.rules.windows import band
from citizen_cloud.modules.masks.services.counter import Expected
from citizen_cloud.modules.masks.services.redemptions import HandOver
from citizen_cloud.text import from_json

DAYS_OF_A_WEEK = 7


def instant(value: datetime) -> str:
    """Return an instant as every answer writes it."""
    return local(value).isoformat(timespec="milliseconds")


def campaign_json(row: CampaignRow) -> dict[str, Any]:
    """Return a campaign with its quota in numbers."""
    profile = PROFILES[row.profile]
    names = (
        "id", "title", "product_class", "profile", "mode", "starts_on", "ends_on", "opens_at",
        "closes_at", "morning_from", "morning_until", "afternoon_from", "afternoon_until",
        "status", "version",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in names},
        "quota": {
            "max": profile.most[row.product_class],
            "period": "rolling" if profile.rolling_days else "week",
            "days": profile.rolling_days or DAYS_OF_A_WEEK,
        },
        "conditions": row.eligibility,
    }


def offer_json(row: RowMapping) -> dict[str, object]:
    """Return an offer as plain JSON values: this runs for every row of the busiest list."""
    is_open = row["is_open"] and not row["is_early"]
    free = row["free"] if row["is_open"] else 0
    position = None
    if row["latitude"] is not None:
        position = {"latitude": row["latitude"], "longitude": row["longitude"]}
    return {
        "id": str(row["slot_id"]),
        "outlet": {
            "id": str(row["organisation_id"]),
            "code": row["code"],
            "name": from_json(row["name"]).as_json(),
            "address": row["address"],
            "phone": row["phone"],
            "county": row["county"],
            "town": row["town"],
            "position": position,
        },
        "product_class": row["product_class"],
        "window_on": row["window_on"].isoformat(),
        "half": row["half"],
        "starts_at": instant(row["starts_at"]),
        "ends_at": instant(row["ends_at"]),
        "status": "open" if is_open else "not_open" if row["is_open"] else "closed",
        "remaining": free,
        "band": band(free),
        "counted_at": instant(row["counted_at"]),
        "distance_m": row["distance_m"],
    }


def stock_json(row: RowMapping) -> dict[str, object]:
    """Return what open data tell of an offer: a band, not a number."""
    return {
        "offer_id": str(row["slot_id"]),
        "register": row["register"],
        "outlet_code": row["code"],
        "outlet_name": from_json(row["name"]).as_json(),
        "address": row["address"],
        "county": row["county"],
        "town": row["town"],
        "product_class": row["product_class"],
        "window_on": row["window_on"].isoformat(),
        "half": row["half"],
        "band": band(row["free"]),
        "counted_at": instant(row["counted_at"]),
    }


def outlet_offer_json(row: OutletOffer) -> dict[str, Any]:
    """Return an offer with its counts, for its outlet."""
    names = (
        "campaign_id", "organisation_id", "outlet_code", "product_class", "window_on", "half",
        "starts_at", "ends_at", "status", "slot_status", "capacity", "remaining", "counted_at",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in names},
        "id": row.offer_id,
        "outlet_name": from_json(row.outlet_name).as_json(),
        "reserved": row.taken,
    }


def hand_over_json(done: HandOver) -> dict[str, Any]:
    """Return what the clerk hands over."""
    one = done.collection
    return {
        "id": done.id,
        "booking_id": one.booking_id,
        "reference": one.reference,
        "product_class": one.product_class,
        "product": PRODUCTS[one.product_class].as_json(),
        "quantity": one.quantity,
        "person_name": done.masked_name,
        "redeemed_at": done.redeemed_at,
        "undo_until": done.undo_until,
    }


def expected_json(row: Expected) -> dict[str, Any]:
    """Return one line of the day's list."""
    names = (
        "booking_id", "reference", "status", "quantity", "organisation_id", "product_class",
        "window_on", "half", "starts_at", "ends_at", "redeemed_at",
    )  # fmt: skip
    return {
        **{name: getattr(row.collection, name) for name in names},
        "person_name": row.person_name,
    }
