"""Offers and their slots: written in bulk, and open only while everything above them is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.booking import services as kernel
from citizen_cloud.booking.services import Actor, NewSlot
from citizen_cloud.db import new_id
from citizen_cloud.modules.masks.queries.campaigns import CampaignRow
from citizen_cloud.modules.masks.rules.rationing import PRODUCTS
from citizen_cloud.text import Text, from_json

MODULE = "masks"
# So many pieces in one place draw a crowd at one minute; its bookings are worth combining.
HOT_FROM = 1_000
Owner = Literal["campaign", "organisation", "slot"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """An outlet as an offer needs it."""

    id: UUID
    register: str
    code: str
    name: dict[str, str]
    address: str
    status: str


@dataclass(frozen=True, kw_only=True)
class NewOffer:
    """Stock to publish; ``counted_at`` is empty where nobody said when it was counted."""

    place: Place
    campaign: CampaignRow
    window_on: date
    half: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    counted_at: datetime | None = None


_INSERT = text(
    """
    INSERT INTO masks.offer
           (slot_id, campaign_id, organisation_id, product_class, window_on, half, counted_at)
    SELECT n.slot_id, n.campaign_id, n.organisation_id, n.product_class, n.window_on, n.half,
           coalesce(n.counted_at, statement_timestamp())
      FROM unnest(
           cast(:slot_id AS uuid[]), cast(:campaign_id AS uuid[]),
           cast(:organisation_id AS uuid[]), cast(:product_class AS text[]),
           cast(:window_on AS date[]), cast(:half AS text[]), cast(:counted_at AS timestamptz[]))
           AS n (slot_id, campaign_id, organisation_id, product_class, window_on, half, counted_at)
    """
)


def add_offers(session: Session, *, offers: Sequence[NewOffer], actor: Actor) -> list[UUID]:
    """Publish offers with their slots, thousands at once; return their ids in order.

    The caller holds the class's lock, so that no other batch publishes the same half-days.
    """
    ids = [new_id() for _ in offers]
    pairs = list(zip(ids, offers, strict=True))
    kernel.publish_slots(session, slots=[_slot(slot_id, offer) for slot_id, offer in pairs])
    session.execute(
        _INSERT,
        {
            "slot_id": ids,
            "campaign_id": [offer.campaign.id for offer in offers],
            "organisation_id": [offer.place.id for offer in offers],
            "product_class": [offer.campaign.product_class for offer in offers],
            "window_on": [offer.window_on for offer in offers],
            "half": [offer.half for offer in offers],
            "counted_at": [offer.counted_at for offer in offers],
        },
    )
    shut = [
        slot_id
        for slot_id, offer in pairs
        if offer.campaign.status != "open" or offer.place.status != "active"
    ]
    if shut:
        kernel.set_slot_status(session, slot_ids=shut, status="closed", actor=actor)
    return ids


def _slot(slot_id: UUID, offer: NewOffer) -> NewSlot:
    """Bookable until the campaign closes, at the latest until the window ends."""
    campaign = offer.campaign
    return NewSlot(
        id=slot_id,
        module=MODULE,
        organisation_id=offer.place.id,
        starts_at=offer.starts_at,
        ends_at=offer.ends_at,
        opens_at=campaign.opens_at,
        closes_at=min(campaign.closes_at, offer.ends_at),
        capacity=offer.capacity,
        title=PRODUCTS[campaign.product_class],
        place=_place_words(offer.place),
        hot=offer.capacity >= HOT_FROM,
    )


def _place_words(place: Place) -> Text:
    name = from_json(place.name)
    return Text(f"{name.zh}（{place.address}）", f"{name.en} ({place.address})")


_OWNERS = {"campaign": "f.campaign_id", "organisation": "f.organisation_id", "slot": "f.slot_id"}
_WANTED = """
    SELECT s.id, c.status = 'open' AND o.status = 'active' AND f.status = 'open' AS is_open
      FROM masks.offer f
      JOIN masks.campaign c ON c.id = f.campaign_id
      JOIN organisations.organisation o ON o.id = f.organisation_id
      JOIN booking.slot s ON s.id = f.slot_id
     WHERE {owner} = ANY(:ids) AND s.status <> 'cancelled'
       AND (s.status = 'open') <> (c.status = 'open' AND o.status = 'active' AND f.status = 'open')
"""


def align(session: Session, owner: Owner, ids: Sequence[UUID], *, actor: Actor) -> int:
    """Open the slots whose campaign, outlet and offer all are open, close the others.

    The caller has changed one of the three and holds its row's lock. Returns how many changed.
    """
    rows = session.execute(text(_WANTED.format(owner=_OWNERS[owner])), {"ids": list(ids)}).all()
    opening = [row.id for row in rows if row.is_open]
    closing = [row.id for row in rows if not row.is_open]
    changed = 0
    if opening:
        changed += kernel.set_slot_status(session, slot_ids=opening, status="open", actor=actor)
    if closing:
        changed += kernel.set_slot_status(session, slot_ids=closing, status="closed", actor=actor)
    return changed


_PLACES = text(
    """
    SELECT o.id, o.register, o.code, o.name, o.address, o.status
      FROM organisations.organisation o WHERE o.id = ANY(:ids) ORDER BY o.id FOR SHARE
    """
)


def places(session: Session, ids: Sequence[UUID]) -> dict[UUID, Place]:
    """Return outlets and keep them as they are until the transaction ends."""
    rows = session.execute(_PLACES, {"ids": list(ids)}).mappings()
    return {row["id"]: Place(**row) for row in rows}
