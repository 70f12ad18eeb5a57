"""What may become of a booking, how its reference is spelt, and what a quota is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal

# Crockford's base 32: no I, L, O or U, so that nobody misreads it aloud at a counter.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_BYTES = 5
# These statuses keep their places; only the other two have given them back.
HOLDING = ("held", "booked", "arrived", "fulfilled", "noshow")
# One of these per person and slot.
ACTIVE = ("held", "booked", "arrived", "fulfilled")
ROLLING = "rolling"

# ``live``: the hold has not run out · ``lapsed``: it has · ``ended``: the slot is over
Condition = Literal["always", "live", "lapsed", "ended"]


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How much of ``scope`` one person may take in one period.

    ``period`` names a calendar period (``2020-W08``); with ``rolling_days`` it is ``rolling`` and
    the window begins on the first ``day`` taken. ``day`` is the slot's local day.
    """

    scope: str
    period: str
    max: int
    day: date
    rolling_days: int | None = None

    def __post_init__(self) -> None:
        """Refuse a quota whose period and window contradict each other."""
        if (self.period == ROLLING) != (self.rolling_days is not None):
            message = "a rolling quota has period 'rolling' and a number of days"
            raise ValueError(message)


@dataclass(frozen=True, kw_only=True)
class Move:
    """One declared transition. Only ``cancelled`` and ``expired`` free places."""

    event: str
    sources: tuple[str, ...]
    target: str
    condition: Condition = "always"

    @property
    def frees(self) -> bool:
        """Return whether the places go back to the slot."""
        return self.target not in HOLDING


MOVES: Mapping[str, Move] = MappingProxyType(
    {
        "confirm": Move(
            event="booking.confirmed", sources=("held",), target="booked", condition="live"
        ),
        "cancel": Move(event="booking.cancelled", sources=("held", "booked"), target="cancelled"),
        "check_in": Move(
            event="booking.fulfilled", sources=("booked", "arrived"), target="fulfilled"
        ),
        "undo_check_in": Move(event="booking.undone", sources=("fulfilled",), target="booked"),
        "expire_hold": Move(
            event="booking.expired", sources=("held",), target="expired", condition="lapsed"
        ),
        "expire_unclaimed": Move(
            event="booking.expired", sources=("booked",), target="expired", condition="ended"
        ),
    }
)
# What brings a booking into being.
TAKINGS: Mapping[str, str] = MappingProxyType({"booked": "booking.booked", "held": "booking.held"})


def new_reference(random: bytes) -> str:
    """Spell 40 random bits as eight characters a person can read out.

    It is a name, not a secret: at the counter it counts only together with the document.
    """
    number = int.from_bytes(random[:REFERENCE_BYTES], "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(35, -5, -5))


def may_move(name: str, status: str) -> bool:
    """Return whether a declared transition starts from this status."""
    return status in MOVES[name].sources
