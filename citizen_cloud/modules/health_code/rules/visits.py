"""Who may enter a place, and how visits are kept and counted. Pure."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal
from uuid import UUID

from citizen_cloud.clock import local_day
from citizen_cloud.text import Text

Outcome = Literal["admitted", "restricted", "refused"]
OUTCOMES: tuple[Outcome, ...] = ("admitted", "restricted", "refused")

KEPT = timedelta(days=21)
KEPT_DAYS = 21
# How many places somebody may enter on one day; the places of a day are numbered.
MOST_A_DAY = 64
MOST_COMPANIONS = 8
LONGEST_WINDOW = timedelta(days=14)
# An opened record may be read so long, by the authority that asked only.
OPEN_FOR = timedelta(hours=24)
HOUR = timedelta(hours=1)

_BANDS = ((100, "100+"), (30, "30-99"), (10, "10-29"), (1, "1-9"), (0, "0"))
BANDS = tuple(band for _, band in _BANDS)

WORDS: dict[str, Text] = {
    "green": Text("绿码，请通行。", "Green: please enter."),
    "yellow": Text(
        "黄码，请按场所要求限制通行。", "Yellow: enter under the restrictions of this place."
    ),
    "yellow_refused": Text("黄码，本场所不能进入。", "Yellow: this place cannot be entered."),
    "red": Text("红码，不能进入。", "Red: you cannot enter."),
    "none": Text(
        "尚无有效健康码，请先申报健康状况。", "No valid colour: please declare your health first."
    ),
}


def outcome_of(colour: str, *, admits_yellow: bool) -> tuple[Outcome, Text]:
    """Return whether somebody of this colour may enter, in a word and in words."""
    if colour == "green":
        return "admitted", WORDS["green"]
    if colour == "yellow":
        return (
            ("restricted", WORDS["yellow"])
            if admits_yellow
            else ("refused", WORDS["yellow_refused"])
        )
    return "refused", WORDS["red" if colour == "red" else "none"]


def hour_of(at: datetime) -> datetime:
    """Return the beginning of the hour an instant lies in: all that a row says of its time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def own_value(person_id: UUID | str, day: date | str, number: int) -> str:
    """Return what a person's n-th visit of a day is found by, once it is keyed."""
    return f"{person_id}:{day}:{number:02d}"


def own_values(person_id: UUID, day: date) -> list[str]:
    """Return what every visit of a day may be found by."""
    return [own_value(person_id, day, number) for number in range(MOST_A_DAY)]


def days_kept(at: datetime) -> list[date]:
    """Return the city's days that may still hold a visit, today first."""
    return [local_day(at) - timedelta(days=back) for back in range(KEPT_DAYS + 1)]


def once_value(place_id: UUID | str, step: int, person_id: UUID | str) -> str:
    """Return what makes a second scan of the same code the same visit, once it is keyed."""
    return f"{place_id}:{step}:{person_id}"


def band(count: int) -> str:
    """Return a number of visits as its place sees it."""
    return next(word for least, word in _BANDS if count >= least)


def is_full_hour(at: datetime) -> bool:
    """Return whether an instant is one that visits are counted by."""
    return hour_of(at) == at
