"""Publish a campaign's offers in batches; an outlet's own changes to its stock and status."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.booking.services import Actor
from citizen_cloud.errors import Invalid, NotFound
from citizen_cloud.modules.masks.queries import stock as queries
from citizen_cloud.modules.masks.queries.campaigns import CampaignRow, campaign
from citizen_cloud.modules.masks.rules.refusals import CampaignOver, OffersConflict
from citizen_cloud.modules.masks.rules.windows import Window, clashes, window
from citizen_cloud.modules.masks.services.campaigns import lock_class, shared
from citizen_cloud.modules.masks.services.slots import NewOffer, Place, add_offers, places

MOST_PAIRS_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class WantedOffer:
    """One item of a batch; without hours the campaign's are meant."""

    organisation_id: UUID
    window_on: date
    half: str
    capacity: int
    begin: time | None = None
    end: time | None = None


@dataclass(frozen=True, kw_only=True)
class PublishedOffer:
    """What an item became: a new offer, or the same that was there."""

    offer_id: UUID
    item: WantedOffer
    is_new: bool


def publish_offers(
    session: Session,
    *,
    campaign_id: UUID,
    items: Sequence[WantedOffer],
    actor: Actor,
    now: datetime | None = None,
) -> list[PublishedOffer]:
    """Publish a batch, all of it or nothing; an item that stands already changes nothing.

    Raises ``NotFound``, ``CampaignOver``, ``Invalid`` with a pointer per wrong item, and
    ``OffersConflict`` with the pairs that clash.
    """
    found = _open_campaign(session, campaign_id)
    outlets = places(session, sorted({item.organisation_id for item in items}))
    wanted = _wanted(found, outlets, items, now or _database_now(session))
    days = [item.window_on for item in items]
    standing = [
        row
        for row in queries.published(
            session, organisation_ids=list(outlets), first=min(days), last=max(days)
        )
        if row["product_class"] == found.product_class
    ]
    same = _same(wanted, standing)
    _check_clashes(wanted, standing, same)
    new = {n: offer for n, offer in enumerate(wanted) if n not in same}
    ids = dict(zip(new, add_offers(session, offers=list(new.values()), actor=actor), strict=True))
    if new:
        _audit(session, actor, found, len(new))
    return [
        PublishedOffer(offer_id=same.get(n) or ids[n], item=item, is_new=n in ids)
        for n, item in enumerate(items)
    ]


def _open_campaign(session: Session, campaign_id: UUID) -> CampaignRow:
    """Return the campaign under its class's lock, and its row kept as it is."""
    found = campaign(session, campaign_id)
    if found is None:
        raise NotFound
    lock_class(session, found.product_class)
    found = shared(session, campaign_id)
    if found is None or found.status == "closed":
        raise CampaignOver
    return found


def _database_now(session: Session) -> datetime:
    now: datetime = session.execute(text("SELECT statement_timestamp()")).scalar_one()
    return now


def _wanted(
    found: CampaignRow,
    outlets: dict[UUID, Place],
    items: Sequence[WantedOffer],
    now: datetime,
) -> list[NewOffer]:
    errors: list[dict[str, str]] = []
    wanted: list[NewOffer] = []
    for number, item in enumerate(items):
        usual = found.hours(item.half)
        begin, end = item.begin or usual[0], item.end or usual[1]
        starts_at, ends_at = window(item.window_on, begin, end)
        place = outlets.get(item.organisation_id)
        faults = (
            ("organisation_id", "unknown_outlet", place is None or place.status == "closed"),
            ("until", "wrong_order", begin == end),
            ("window_on", "out_of_range", not found.starts_on <= item.window_on <= found.ends_on),
            ("window_on", "out_of_range", ends_at <= max(now, found.opens_at)),
        )
        wrong = [(name, code) for name, code, is_wrong in faults if is_wrong]
        errors.extend({"pointer": f"/items/{number}/{n}", "code": code} for n, code in wrong[:1])
        if place is not None and not wrong:
            wanted.append(
                NewOffer(
                    place=place,
                    campaign=found,
                    window_on=item.window_on,
                    half=item.half,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    capacity=item.capacity,
                )
            )
    if errors:
        raise Invalid(errors=errors)
    return wanted


def _same(wanted: list[NewOffer], standing: list[dict[str, Any]]) -> dict[int, UUID]:
    """Return by item the offer that stands exactly so: campaign, hours and number."""
    known = {_key(row): row["slot_id"] for row in standing}
    keys = [
        (
            offer.campaign.id,
            offer.place.id,
            offer.window_on,
            offer.half,
            offer.starts_at,
            offer.ends_at,
            offer.capacity,
        )
        for offer in wanted
    ]
    return {number: known[key] for number, key in enumerate(keys) if key in known}


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    names = (
        "campaign_id", "organisation_id", "window_on", "half", "starts_at", "ends_at", "capacity",
    )  # fmt: skip
    return tuple(row[name] for name in names)


def _check_clashes(
    wanted: list[NewOffer], standing: list[dict[str, Any]], same: dict[int, UUID]
) -> None:
    unchanged = set(same.values())
    windows = [
        Window(
            organisation_id=offer.place.id,
            half=offer.half,
            window_on=offer.window_on,
            starts_at=offer.starts_at,
            ends_at=offer.ends_at,
            number=number,
        )
        for number, offer in enumerate(wanted)
    ]
    windows += [
        Window(
            organisation_id=row["organisation_id"],
            half=row["half"],
            window_on=row["window_on"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            offer_id=row["slot_id"],
        )
        for row in standing
        if row["slot_id"] not in unchanged
    ]
    pairs = clashes(windows)
    if pairs:
        shown = [pair.as_json() for pair in pairs[:MOST_PAIRS_SHOWN]]
        raise OffersConflict(conflicts=shown, conflict_count=len(pairs))


def _audit(session: Session, actor: Actor, found: CampaignRow, published: int) -> None:
    record(
        session,
        Act(
            actor_kind=actor.kind,
            actor_id=actor.id,
            action="masks.offers_published",
            object_type="masks.campaign",
            object_id=found.id,
            payload={"published": published},
        ),
    )
