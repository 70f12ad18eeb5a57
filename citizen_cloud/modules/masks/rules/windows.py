"""Half-days, overlaps and bands of stock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from citizen_cloud.clock import CITY

Half = Literal["am", "pm"]
HALVES: tuple[Half, ...] = ("am", "pm")
UNDO_FOR = timedelta(minutes=5)
BANDS = (("100+", 100), ("30-99", 30), ("1-29", 1))


def window(day: date, begin: time, end: time) -> tuple[datetime, datetime]:
    """Return the instants of a collection window; an end at or before the begin is next day's."""
    starts_at = datetime.combine(day, begin, CITY)
    ends_at = datetime.combine(day + timedelta(days=end <= begin), end, CITY)
    return starts_at.astimezone(UTC), ends_at.astimezone(UTC)


def band(free: int) -> str:
    """Return the band that open data tell instead of the number."""
    return next((name for name, least in BANDS if free >= least), "0")


@dataclass(frozen=True, kw_only=True)
class Window:
    """A place's collection window; ``number`` is its place in a batch, empty if published."""

    organisation_id: UUID
    half: str
    window_on: date
    starts_at: datetime
    ends_at: datetime
    number: int | None = None
    offer_id: UUID | None = None


@dataclass(frozen=True)
class Clash:
    """Two windows that cannot both be."""

    one: Window
    other: Window

    def as_json(self) -> dict[str, object]:
        """Return the pair as the problem shows it: items by number, published offers by id."""
        members: dict[str, object] = {"item": self.one.number}
        if self.other.number is not None:
            members["with_item"] = self.other.number
        else:
            members["with_offer"] = str(self.other.offer_id)
        return members


def clashes(windows: list[Window]) -> list[Clash]:
    """Return the pairs of windows of one place that overlap, or name the same half-day.

    Windows that are both published are nobody's fault here and are not paired.
    """
    found: list[Clash] = []
    by_place: dict[UUID, list[Window]] = {}
    for item in sorted(windows, key=lambda w: (w.starts_at, w.ends_at)):
        earlier = by_place.setdefault(item.organisation_id, [])
        found.extend(
            _ordered(other, item) for other in earlier if _clash(other, item) and _news(other, item)
        )
        earlier.append(item)
    return found


def _clash(one: Window, other: Window) -> bool:
    same_half = (one.window_on, one.half) == (other.window_on, other.half)
    return same_half or (one.starts_at < other.ends_at and other.starts_at < one.ends_at)


def _news(one: Window, other: Window) -> bool:
    return one.number is not None or other.number is not None


def _ordered(one: Window, other: Window) -> Clash:
    if one.number is None:
        return Clash(other, one)
    if other.number is not None and other.number < one.number:
        return Clash(other, one)
    return Clash(one, other)
