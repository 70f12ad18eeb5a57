"""What may be said of a person's health, by whom, and in which few words. Closed lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Literal
from uuid import UUID

from citizen_cloud.clock import local_day
from citizen_cloud.text import Text

Kind = Literal[
    "declared",
    "checked_in",
    "trip",
    "test_result",
    "exposure",
    "recovery",
    "exclusion",
    "assigned",
    "withdrawn",
]
SourceKind = Literal["citizen", "authority", "officer", "system"]
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
SOURCE_KINDS: tuple[SourceKind, ...] = SourceKind.__args__  # type: ignore[attr-defined]
# What a citizen says himself; no office is needed for it, and none may say it in his stead.
OWN_KINDS = frozenset({"declared", "checked_in", "trip"})
# What two people decide about one person
HAND_KINDS = frozenset({"assigned", "withdrawn"})

SYMPTOMS = (
    "fever",
    "cough",
    "fatigue",
    "sore_throat",
    "loss_of_taste",
    "breathing_difficulty",
    "diarrhoea",
)
TRANSPORT = ("train", "plane", "coach", "ship", "car", "other")
RESULTS = ("positive", "negative")
EXPOSURES = ("close", "secondary", "venue")
ASSIGNED_COLOURS = ("yellow", "red")
MOST_DAYS = 60
AREA_DIGITS = 6
COLDEST_C, HOTTEST_C = 34, 43
# What the fact rests on
EVIDENCE = ("self_report", "laboratory", "survey", "medical", "document", "approval")
# Nothing but an epidemic is a reason to give somebody a colour by hand.
ASSIGN_REASONS: Mapping[str, Text] = MappingProxyType(
    {
        "confirmed_case": Text("确诊病例", "Confirmed case"),
        "suspected_case": Text("疑似病例", "Suspected case"),
        "asymptomatic_case": Text("无症状感染者", "Infected without symptoms"),
        "close_contact": Text("密切接触者", "Close contact of a case"),
        "secondary_contact": Text("次密接", "Contact of a close contact"),
        "risk_area": Text("来自中高风险地区", "Came from an area of risk"),
        "quarantine": Text("处于隔离期", "In quarantine"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact as the fold sees it."""

    id: UUID
    kind: str
    occurred_at: datetime
    payload: Mapping[str, Any]
    withdraws: UUID | None = None
    # The city's day it happened on, as an ordinal
    day: int = field(init=False)

    def __post_init__(self) -> None:
        """Find the day once: a fold asks for it again and again."""
        object.__setattr__(self, "day", local_day(self.occurred_at).toordinal())


class PayloadFault(ValueError):
    """A fact says something that is not in the closed list of its kind."""


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: value in words


def _is_area(value: Any) -> bool:
    return (
        isinstance(value, str) and len(value) == AREA_DIGITS and value.isascii() and value.isdigit()
    )


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_temperature(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and COLDEST_C <= value <= HOTTEST_C


def _are_symptoms(value: Any) -> bool:
    return isinstance(value, list) and all(one in SYMPTOMS for one in value)


def _are_days(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_DAYS


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


# kind → member → (needed, check)
_MEMBERS: dict[str, dict[str, tuple[bool, Callable[[Any], bool]]]] = {
    "declared": {
        "temperature_c": (False, _is_temperature),
        "symptoms": (True, _are_symptoms),
        "contact_with_case": (True, _is_flag),
    },
    "checked_in": {},
    "trip": {
        "from_area": (True, _is_area),
        "to_area": (True, _is_area),
        "departed_on": (True, _is_day),
        "arrived_on": (True, _is_day),
        "transport": (True, _one_of(*TRANSPORT)),
    },
    "test_result": {"result": (True, _one_of(*RESULTS))},
    "exposure": {"class": (True, _one_of(*EXPOSURES))},
    "recovery": {},
    "exclusion": {},
    "assigned": {
        "colour": (True, _one_of(*ASSIGNED_COLOURS)),
        "reason": (True, _one_of(*ASSIGN_REASONS)),
        "days": (True, _are_days),
    },
    "withdrawn": {},
}


def check_payload(kind: str, payload: Mapping[str, Any]) -> None:
    """Let pass what a kind may say. Raises ``PayloadFault`` with the member's name."""
    members = _MEMBERS.get(kind)
    if members is None:
        raise PayloadFault("kind")
    for name in payload:
        if name not in members:
            raise PayloadFault(name)
    for name, (is_needed, is_right) in members.items():
        if name not in payload:
            if is_needed:
                raise PayloadFault(name)
        elif not is_right(payload[name]):
            raise PayloadFault(name)
