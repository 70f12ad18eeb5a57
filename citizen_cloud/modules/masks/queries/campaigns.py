"""Campaigns: the public list, one of them, and which of them ration a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

COLUMNS = (
    "c.id, c.title, c.product_class, c.profile, c.eligibility, c.mode, c.starts_on, c.ends_on, "
    "c.opens_at, c.closes_at, c.morning_from, c.morning_until, c.afternoon_from, "
    "c.afternoon_until, c.status, c.version"
)


@dataclass(frozen=True, kw_only=True)
class CampaignRow:
    """A campaign as it stands."""

    id: UUID
    title: dict[str, str]
    product_class: str
    profile: str
    eligibility: dict[str, Any]
    mode: str
    starts_on: date
    ends_on: date
    opens_at: datetime
    closes_at: datetime
    morning_from: time
    morning_until: time
    afternoon_from: time
    afternoon_until: time
    status: str
    version: int

    def hours(self, half: str) -> tuple[time, time]:
        """Return the collection hours of a half-day where an offer names none."""
        if half == "am":
            return self.morning_from, self.morning_until
        return self.afternoon_from, self.afternoon_until


def campaign(session: Session | Connection, campaign_id: UUID) -> CampaignRow | None:
    """Return one campaign, drafts as well."""
    rows = session.execute(
        text(f"SELECT {COLUMNS} FROM masks.campaign c WHERE c.id = :id"),  # noqa: S608
        {"id": campaign_id},
    )
    found = rows.mappings().first()
    return CampaignRow(**found) if found else None


def campaigns(
    session: Session | Connection,
    *,
    statuses: Sequence[str],
    after: UUID | None,
    limit: int,
    today: date | None = None,
) -> list[CampaignRow]:
    """Return campaigns in these states, newest first; with ``today`` only those not over."""
    rows = session.execute(
        text(
            f"""
            SELECT {COLUMNS} FROM masks.campaign c
             WHERE c.status = ANY(:statuses)
               AND (cast(:after AS uuid) IS NULL OR c.id < :after)
               AND (cast(:today AS date) IS NULL OR c.ends_on >= :today)
             ORDER BY c.id DESC LIMIT :most
            """  # noqa: S608
        ),
        {"statuses": list(statuses), "after": after, "today": today, "most": limit + 1},
    )
    return [CampaignRow(**row) for row in rows.mappings()]


def covering(session: Session, *, product_class: str, first: date, last: date) -> list[CampaignRow]:
    """Return the campaigns of a class, closed ones aside, that collect on any of these days."""
    rows = session.execute(
        text(
            f"""
            SELECT {COLUMNS} FROM masks.campaign c
             WHERE c.product_class = :product_class AND c.status <> 'closed'
               AND c.starts_on <= :last AND c.ends_on >= :first
             ORDER BY c.id
            """  # noqa: S608
        ),
        {"product_class": product_class, "first": first, "last": last},
    )
    return [CampaignRow(**row) for row in rows.mappings()]


def closed_but_taken(
    session: Session, *, product_class: str, first: date, last: date
) -> list[CampaignRow]:
    """Return the closed campaigns of a class in which shares of any of these days are taken."""
    rows = session.execute(
        text(
            f"""
            SELECT {COLUMNS} FROM masks.campaign c
             WHERE c.product_class = :product_class AND c.status = 'closed'
               AND c.starts_on <= :last AND c.ends_on >= :first
               AND EXISTS (SELECT FROM masks.offer f JOIN booking.slot s ON s.id = f.slot_id
                            WHERE f.campaign_id = c.id AND s.taken > 0
                              AND f.window_on BETWEEN :first AND :last)
             ORDER BY c.id
            """  # noqa: S608
        ),
        {"product_class": product_class, "first": first, "last": last},
    )
    return [CampaignRow(**row) for row in rows.mappings()]
