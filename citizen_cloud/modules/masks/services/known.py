"""What the database knows about the rows of a stock file: outlets, campaigns, published offers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.modules.masks.files.stock import Stock
from citizen_cloud.modules.masks.queries import stock as queries
from citizen_cloud.modules.masks.queries.campaigns import CampaignRow, covering
from citizen_cloud.modules.masks.rules.report import Fault
from citizen_cloud.modules.masks.rules.windows import Window, clashes, window
from citizen_cloud.modules.masks.services.campaigns import shared
from citizen_cloud.modules.masks.services.slots import Place
from citizen_cloud.web.caller import Grant

# In one order and kept until the end: an outlet that pauses waits for the file, or the file for it.
_PLACES = text(
    """
    SELECT o.id, o.register, o.code, o.name, o.address, o.status
      FROM organisations.organisation o
     WHERE o.code = ANY(:codes) AND (:everywhere OR o.id = ANY(:ids))
     ORDER BY o.id FOR SHARE
    """
)


@dataclass(kw_only=True)
class Known:
    """The world as one round of an import finds it."""

    session: Session
    grant: Grant
    may_create: bool
    campaigns: Mapping[str, UUID]
    now: datetime
    _places: dict[tuple[str | None, str], Place | None] = field(default_factory=dict)
    _standing: dict[tuple[UUID, str, date, str], dict[str, Any]] = field(default_factory=dict)
    _found: dict[tuple[str, date], CampaignRow | str] = field(default_factory=dict)

    def read(self, stocks: list[Stock]) -> None:
        """Read outlets and offers of all rows at once."""
        self.read_places({one.code for one in stocks})
        days = [one.window_on for one in stocks]
        rows = queries.published(
            self.session,
            organisation_ids=[place.id for place in self._places.values() if place],
            first=min(days),
            last=max(days),
        )
        self._standing = {
            (row["organisation_id"], row["product_class"], row["window_on"], row["half"]): row
            for row in rows
        }

    def read_places(self, codes: set[str]) -> None:
        """Read the outlets with these codes that the grant covers; others look unknown."""
        values = {
            "codes": sorted(codes),
            "ids": list(self.grant.organisation_ids),
            "everywhere": self.grant.everywhere,
        }
        self._places.clear()
        for row in self.session.execute(_PLACES, values).mappings():
            place = Place(**row)
            self._places[place.register, place.code] = place
            # A bare code that two registers use names neither.
            bare = (None, place.code)
            self._places[bare] = None if bare in self._places else place

    def place(self, one: Stock) -> Place | None:
        """Return the outlet of a row."""
        return self._places.get((one.register, one.code))

    def standing(self, one: Stock) -> dict[str, Any] | None:
        """Return the offer that is published for a row."""
        place = self.place(one)
        if place is None:
            return None
        return self._standing.get((place.id, one.product_class, one.window_on, one.half))

    def campaign(self, one: Stock) -> CampaignRow | str:
        """Return the campaign that takes a number, or the code of why there is none."""
        key = (one.product_class, one.window_on)
        if key not in self._found:
            self._found[key] = self._find_campaign(*key)
        return self._found[key]

    def _find_campaign(self, product_class: str, day: date) -> CampaignRow | str:
        candidates = covering(self.session, product_class=product_class, first=day, last=day)
        named = self.campaigns.get(product_class)
        if named is not None:
            candidates = [one for one in candidates if one.id == named]
        if len(candidates) == 1:
            return shared(self.session, candidates[0].id) or "no_campaign"
        return "campaign_ambiguous" if candidates else "no_campaign"

    def fault(self, one: Stock) -> Fault | None:
        """Return what is wrong with a row in the light of what is known."""
        code = self._outlet_fault(one)
        if code is not None:
            return Fault(row=one.row, column="outlet_code", code=code)
        standing = self.standing(one)
        code = self._campaign_fault(one) if standing is None else self._count_fault(one, standing)
        return None if code is None else Fault(row=one.row, column=one.column, code=code)

    def _outlet_fault(self, one: Stock) -> str | None:
        place = self.place(one)
        if place is None:
            return None if self.may_create and one.outlet else "unknown_outlet"
        return "outlet_closed" if place.status == "closed" else None

    def _count_fault(self, one: Stock, standing: dict[str, Any]) -> str | None:
        if standing["ends_at"] <= self.now:
            return "window_over" if standing["capacity"] != one.capacity else None
        return "below_reserved" if one.capacity < standing["taken"] else None

    def _campaign_fault(self, one: Stock) -> str | None:
        found = self.campaign(one)
        if isinstance(found, str):
            return found
        if found.status == "closed":
            return "no_campaign"
        _, ends_at = window(one.window_on, *found.hours(one.half))
        return "window_over" if ends_at <= max(self.now, found.opens_at) else None

    def overlaps(self, stocks: list[Stock]) -> list[Fault]:
        """Return the rows whose new windows overlap another of the same outlet and class."""
        new = dict(enumerate(one for one in stocks if self.standing(one) is None))
        faults = []
        for product_class in sorted({one.product_class for one in new.values()}):
            items = [(n, one) for n, one in new.items() if one.product_class == product_class]
            pairs = clashes([*self._new_windows(items), *self._old_windows(product_class)])
            for number in sorted({p.one.number for p in pairs if p.one.number is not None}):
                one = new[number]
                faults.append(Fault(row=one.row, column=one.column, code="windows_overlap"))
        return faults

    def _new_windows(self, items: Iterable[tuple[int, Stock]]) -> Iterable[Window]:
        for number, one in items:
            place, found = self.place(one), self.campaign(one)
            if place is not None and not isinstance(found, str):
                starts_at, ends_at = window(one.window_on, *found.hours(one.half))
                yield Window(
                    organisation_id=place.id,
                    half=one.half,
                    window_on=one.window_on,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    number=number,
                )

    def _old_windows(self, product_class: str) -> Iterable[Window]:
        for row in self._standing.values():
            if row["product_class"] == product_class:
                yield Window(
                    organisation_id=row["organisation_id"],
                    half=row["half"],
                    window_on=row["window_on"],
                    starts_at=row["starts_at"],
                    ends_at=row["ends_at"],
                    offer_id=row["slot_id"],
                )
