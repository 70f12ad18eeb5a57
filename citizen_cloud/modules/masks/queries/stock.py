"""Stock as its outlet sees it, and as open data tell it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.modules.masks.queries.offers import DISTRICT, NOW, district_values


def open_stock(
    connection: Connection,
    *,
    district: str | None,
    after: UUID | None,
    limit: int,
    now: datetime | None = None,
) -> Sequence[RowMapping]:
    """Return what is free to book now, one row more than asked; ``as_of`` is the statement's time.

    A paused or not yet opened offer has nothing to book. One SELECT.
    """
    conditions = f"AND {DISTRICT}" if district is not None else ""
    rows = connection.execute(
        text(
            f"""
            SELECT f.slot_id, f.product_class, f.window_on, f.half, f.counted_at,
                   s.starts_at, s.ends_at, o.register, o.code, o.name, o.address, o.county, o.town,
                   CASE WHEN s.status = 'open' AND s.opens_at <= {NOW} AND s.closes_at > {NOW}
                        THEN greatest(s.capacity - s.taken, 0) ELSE 0 END AS free
              FROM masks.offer f
              JOIN masks.campaign c ON c.id = f.campaign_id AND c.status IN ('open', 'paused')
              JOIN booking.slot s ON s.id = f.slot_id AND s.ends_at > {NOW}
              JOIN organisations.organisation o ON o.id = f.organisation_id
             WHERE o.status <> 'closed' {conditions}
               AND (cast(:after AS uuid) IS NULL OR f.slot_id > :after)
             ORDER BY f.slot_id LIMIT :most
            """  # noqa: S608
        ),
        {
            "after": after,
            "most": limit + 1,
            "now": now,
            **(district_values(district) if district is not None else {}),
        },
    )
    return rows.mappings().all()


@dataclass(frozen=True, kw_only=True)
class OutletOffer:
    """An offer with its counts, for the outlet."""

    offer_id: UUID
    campaign_id: UUID
    organisation_id: UUID
    outlet_code: str
    outlet_name: dict[str, str]
    product_class: str
    window_on: date
    half: str
    starts_at: datetime
    ends_at: datetime
    status: str
    slot_status: str
    capacity: int
    taken: int
    counted_at: datetime

    @property
    def remaining(self) -> int:
        """Return what is left."""
        return max(self.capacity - self.taken, 0)


_OUTLET_OFFER = """
    SELECT f.slot_id AS offer_id, f.campaign_id, f.organisation_id, o.code AS outlet_code,
           o.name AS outlet_name, f.product_class, f.window_on, f.half, s.starts_at, s.ends_at,
           f.status, s.status AS slot_status, s.capacity, s.taken, f.counted_at
      FROM masks.offer f
      JOIN booking.slot s ON s.id = f.slot_id
      JOIN organisations.organisation o ON o.id = f.organisation_id"""


def outlet_offer(session: Session, offer_id: UUID) -> OutletOffer | None:
    """Return one offer with its counts."""
    rows = session.execute(text(f"{_OUTLET_OFFER} WHERE f.slot_id = :id"), {"id": offer_id})
    found = rows.mappings().first()
    return OutletOffer(**found) if found else None


def outlet_offers(
    connection: Connection,
    *,
    organisation_ids: Sequence[UUID],
    on: date | None,
    after: UUID | None,
    limit: int,
) -> list[OutletOffer]:
    """Return the offers of some outlets, latest published first, one row more than asked."""
    rows = connection.execute(
        text(
            f"""{_OUTLET_OFFER}
             WHERE f.organisation_id = ANY(:organisations)
               AND (cast(:on_day AS date) IS NULL OR f.window_on = :on_day)
               AND (cast(:after AS uuid) IS NULL OR f.slot_id < :after)
             ORDER BY f.slot_id DESC LIMIT :most
            """
        ),
        {
            "organisations": list(organisation_ids),
            "on_day": on,
            "after": after,
            "most": limit + 1,
        },
    )
    return [OutletOffer(**row) for row in rows.mappings()]


def published(
    session: Session, *, organisation_ids: Sequence[UUID], first: date, last: date
) -> list[dict[str, Any]]:
    """Return the offers of some outlets around some days: what a batch or file is compared with."""
    rows = session.execute(
        text(
            """
            SELECT f.slot_id, f.campaign_id, f.organisation_id, f.product_class, f.window_on,
                   f.half, f.counted_at, s.starts_at, s.ends_at, s.capacity, s.taken
              FROM masks.offer f JOIN booking.slot s ON s.id = f.slot_id
             WHERE f.organisation_id = ANY(:organisations)
               AND f.window_on BETWEEN cast(:first AS date) - 1 AND cast(:last AS date) + 1
            """
        ),
        {"organisations": list(organisation_ids), "first": first, "last": last},
    )
    return [dict(row) for row in rows.mappings()]
