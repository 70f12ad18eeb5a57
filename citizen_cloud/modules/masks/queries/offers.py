"""Offers as citizens look for them, as open data tell them, and as their outlet sees them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.organisations.queries import PlaceFilter, place_filter
from citizen_cloud.organisations.rules import Point, area_name, is_area_code

NOW = "coalesce(cast(:now AS timestamptz), statement_timestamp())"
_IS_BOOKABLE = f"s.status = 'open' AND s.opens_at <= {NOW} AND s.closes_at > {NOW}"
_COLUMNS = f"""
    f.slot_id, f.product_class, f.window_on, f.half, f.counted_at, s.starts_at, s.ends_at,
    s.opens_at > {NOW} AS is_early, s.status = 'open' AND s.closes_at > {NOW} AS is_open,
    greatest(s.capacity - s.taken, 0) AS free,
    o.id AS organisation_id, o.code, o.name, o.address, o.phone, o.county, o.town,
    o.latitude, o.longitude"""
_FROM = """
      JOIN booking.slot s ON s.id = f.slot_id
      JOIN organisations.organisation o ON o.id = f.organisation_id"""


@dataclass(frozen=True, kw_only=True)
class OfferFacts:
    """What never changes of an offer: the booking path keeps it in memory."""

    offer_id: UUID
    campaign_id: UUID
    organisation_id: UUID
    product_class: str
    profile: str
    eligibility: dict[str, Any]
    window_on: date
    starts_at: datetime
    ends_at: datetime
    title: dict[str, str]
    place: dict[str, str]


def offer_facts(connection: Connection, offer_id: UUID) -> OfferFacts | None:
    """Return the unchanging facts of an offer; drafts are not there yet."""
    rows = connection.execute(
        text(
            """
            SELECT f.slot_id AS offer_id, f.campaign_id, f.organisation_id, f.product_class,
                   c.profile, c.eligibility, f.window_on, s.starts_at, s.ends_at, x.title, x.place
              FROM masks.offer f
              JOIN masks.campaign c ON c.id = f.campaign_id AND c.status <> 'draft'
              JOIN booking.slot s ON s.id = f.slot_id
              JOIN booking.slot_text x ON x.slot_id = f.slot_id
             WHERE f.slot_id = :id
            """
        ),
        {"id": offer_id},
    )
    found = rows.mappings().first()
    return OfferFacts(**found) if found else None


@dataclass(frozen=True, kw_only=True)
class Search:
    """What a citizen looks for."""

    district: str | None = None
    q: str | None = None
    near: Point | None = None
    radius_m: int = 5_000
    is_available: bool = False


def offers(
    connection: Session | Connection,
    *,
    campaign_id: UUID,
    search: Search,
    after: list[Any] | None,
    limit: int,
    now: datetime | None = None,
) -> list[RowMapping] | None:
    """Return a page of offers whose window is not over, and one row more if there are more.

    In time order, or by distance with ``near``. None where there is no such campaign: it and its
    offers are one SELECT.
    """
    places = place_filter(q=search.q, near=search.near, within_m=search.radius_m)
    conditions, values = _conditions(search, places)
    metres = f"cast(round({places.distance}) AS integer)" if places.distance else None
    keys = order_keys(is_near=metres is not None)
    order = ", ".join(keys)
    if after is not None:
        conditions.append(_behind(metres))
        values |= {f"after_{key}": value for key, value in zip(keys, after, strict=True)}
    found = connection.execute(
        text(
            f"""
            WITH c AS (SELECT id FROM masks.campaign WHERE id = :campaign AND status <> 'draft'),
            page AS (
                SELECT {_COLUMNS}, {metres or "cast(NULL AS integer)"} AS distance_m
                  FROM masks.offer f {_FROM}
                 WHERE f.campaign_id = :campaign AND s.ends_at > {NOW}
                   AND {" AND ".join(conditions)}
                 ORDER BY {order} LIMIT :most)
            SELECT c.id AS campaign_id, page.* FROM c LEFT JOIN page ON true ORDER BY {order}
            """  # noqa: S608
        ),
        {"campaign": campaign_id, "most": limit + 1, "now": now, **values},
    )
    rows = found.mappings().all()
    return [row for row in rows if row["slot_id"]] if rows else None


def _conditions(search: Search, places: PlaceFilter) -> tuple[list[str], dict[str, Any]]:
    conditions = ["o.status <> 'closed'", places.where]
    values = dict(places.parameters)
    if search.is_available:
        conditions.append(f"{_IS_BOOKABLE} AND s.capacity > s.taken")
    if search.district is not None:
        conditions.append(DISTRICT)
        values |= district_values(search.district)
    return conditions, values


DISTRICT = """(o.county = :district OR o.town = :district OR o.county || o.town = :district
               OR o.area_code LIKE :area)"""


def district_values(district: str) -> dict[str, Any]:
    """Return the values of ``DISTRICT``: a county, a town, both together, or an area code."""
    return {
        "district": area_name(district),
        "area": f"{district}%" if is_area_code(district) else None,
    }


def order_keys(*, is_near: bool) -> tuple[str, ...]:
    """Return what a list is sorted by: in time order, with ``near`` the nearest outlet first."""
    return (*(("distance_m",) if is_near else ()), "window_on", "half", "slot_id")


def _behind(metres: str | None) -> str:
    nearer = (f"{metres}, ", "cast(:after_distance_m AS integer), ") if metres else ("", "")
    return (
        f"({nearer[0]}f.window_on, f.half, f.slot_id) > ({nearer[1]}"
        "cast(:after_window_on AS date), cast(:after_half AS varchar), "
        "cast(:after_slot_id AS uuid))"
    )
