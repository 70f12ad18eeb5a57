"""Rules of colour as data: what a version may say, read strictly. ``docs/health-rules.md``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from citizen_cloud.modules.health_code.rules.events import (
    ASSIGNED_COLOURS,
    EXPOSURES,
    MOST_DAYS,
    RESULTS,
    SYMPTOMS,
)
from citizen_cloud.text import Text

Colour = Literal["none", "green", "yellow", "red"]
COLOURS: tuple[Colour, ...] = Colour.__args__  # type: ignore[attr-defined]
PROFILES = ("a", "b", "c")
NEEDS = ("declaration", "temperature")
ENDS = ("check_ins", "days", "quiet", "release", "given")
MOST_RULES = 40
MOST_WORDS = 200
MOST_AREAS = 3_000
LONGEST_ID = 32
LEAST_FEVER_C, MOST_FEVER_C = 36, 40
# on → the member that narrows it, and the closed list its words are from
_NARROWS: dict[str, tuple[str, Collection[str]] | None] = {
    "symptoms": ("any_of", SYMPTOMS),
    "contact": None,
    "trip": ("areas", ()),
    "test_result": ("results", RESULTS),
    "exposure": ("classes", EXPOSURES),
    "assigned": ("colours", ASSIGNED_COLOURS),
    "lapse": None,
    "end_of": ("rule", ()),
}


class VersionFault(ValueError):
    """A rule version says something it may not; ``pointer`` tells where."""

    def __init__(self, pointer: str) -> None:
        super().__init__(pointer)
        self.pointer = pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What makes somebody yellow or red, and what ends it.

    ``words`` narrows ``on``: symptoms, area prefixes, results, classes, colours, or the rule whose
    end this one follows.
    """

    id: str
    on: str
    words: tuple[str, ...]
    colour: Colour
    ends_by: str
    days: int
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleVersion:
    """All rules in force at one time. ``valid_days`` empty: green lasts once declared."""

    number: int
    profile: str
    fever_c: float
    valid_days: int | None
    needs: str
    rules: tuple[Rule, ...]
    # Which rules an event of a kind may set off at all
    by_kind: Mapping[str, tuple[Rule, ...]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Sort the rules once: a fold asks for every event."""
        found: dict[str, tuple[Rule, ...]] = {}
        for rule in self.rules:
            kind = "declared" if rule.on in ("symptoms", "contact") else rule.on
            found[kind] = (*found.get(kind, ()), rule)
        object.__setattr__(self, "by_kind", found)


def read_version(number: int, profile: str, data: Any) -> RuleVersion:
    """Return the version that ``data`` describes. Raises ``VersionFault`` at the first fault."""
    if profile not in PROFILES:
        raise VersionFault("/profile")
    _members(data, "", {"fever_c", "green", "rules"})
    fever = data["fever_c"]
    if isinstance(fever, bool) or not isinstance(fever, int | float):
        raise VersionFault("/fever_c")
    if not LEAST_FEVER_C <= fever <= MOST_FEVER_C:
        raise VersionFault("/fever_c")
    green = data["green"]
    _members(green, "/green", {"valid_days", "needs"})
    valid_days = green["valid_days"]
    if valid_days is not None:
        _days(valid_days, "/green/valid_days")
    if green["needs"] not in NEEDS:
        raise VersionFault("/green/needs")
    rules = _rules(data["rules"], has_lapse=valid_days is not None)
    return RuleVersion(
        number=number,
        profile=profile,
        fever_c=float(fever),
        valid_days=valid_days,
        needs=green["needs"],
        rules=rules,
    )


def _rules(data: Any, *, has_lapse: bool) -> tuple[Rule, ...]:
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_RULES:
        raise VersionFault("/rules")
    found: list[Rule] = []
    for place, item in enumerate(data):
        pointer = f"/rules/{place}"
        rule = _rule(item, pointer, [one.id for one in found])
        if rule.on == "lapse" and not has_lapse:
            raise VersionFault(f"{pointer}/when/on")
        found.append(rule)
    return tuple(found)


def _rule(data: Any, pointer: str, earlier: list[str]) -> Rule:
    _members(data, pointer, {"id", "when", "colour", "ends", "text"})
    name = data["id"]
    if not _is_word(name) or name in earlier:
        raise VersionFault(f"{pointer}/id")
    on, words = _when(data["when"], f"{pointer}/when", earlier)
    if data["colour"] not in ASSIGNED_COLOURS:
        raise VersionFault(f"{pointer}/colour")
    ends_by, days = _ends(data["ends"], f"{pointer}/ends", on)
    return Rule(
        id=name,
        on=on,
        words=words,
        colour=data["colour"],
        ends_by=ends_by,
        days=days,
        text=_text(data["text"], f"{pointer}/text"),
    )


def _is_word(value: Any) -> bool:
    return (
        isinstance(value, str)
        and 1 <= len(value) <= LONGEST_ID
        and value.isascii()
        and value.replace("_", "").isalnum()
        and value.islower()
    )


def _when(data: Any, pointer: str, earlier: list[str]) -> tuple[str, tuple[str, ...]]:
    on = data.get("on") if isinstance(data, dict) else None
    if not isinstance(on, str) or on not in _NARROWS:
        raise VersionFault(f"{pointer}/on")
    narrows = _NARROWS[on]
    if narrows is None:
        _members(data, pointer, {"on"})
        return on, ()
    name, known = narrows
    _members(data, pointer, {"on", name})
    if on == "end_of":
        # Only what stands above: so no rule follows itself.
        if data[name] not in earlier:
            raise VersionFault(f"{pointer}/{name}")
        return on, (data[name],)
    return on, _words(data[name], f"{pointer}/{name}", known)


def _words(data: Any, pointer: str, known: Collection[str]) -> tuple[str, ...]:
    """Read a list of known words; without known ones, of area prefixes (GB/T 2260)."""
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_AREAS:
        raise VersionFault(pointer)
    for place, word in enumerate(data):
        if known:
            is_right = word in known
        else:
            is_right = isinstance(word, str) and len(word) in (2, 4, 6) and word.isdecimal()
        if not is_right or word in data[:place]:
            raise VersionFault(f"{pointer}/{place}")
    return tuple(data)


def _ends(data: Any, pointer: str, on: str) -> tuple[str, int]:
    by = data.get("by") if isinstance(data, dict) else None
    if by not in ENDS:
        raise VersionFault(f"{pointer}/by")
    # How long a colour given by hand lasts is what two people agreed to, and only there.
    if (by == "given") != (on == "assigned"):
        raise VersionFault(f"{pointer}/by")
    if by == "given":
        _members(data, pointer, {"by"})
        return by, 0
    _members(data, pointer, {"by", "days"})
    return by, _days(data["days"], f"{pointer}/days")


def _days(value: Any, pointer: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_DAYS:
        raise VersionFault(pointer)
    return value


def _text(data: Any, pointer: str) -> Text:
    _members(data, pointer, {"zh", "en"})
    for language in ("zh", "en"):
        words = data[language]
        is_right = isinstance(words, str) and words.isprintable()
        if not is_right or not 1 <= len(words.strip()) <= MOST_WORDS:
            raise VersionFault(f"{pointer}/{language}")
    return Text(data["zh"], data["en"])


def _members(data: Any, pointer: str, names: set[str]) -> None:
    """Let an object pass that has exactly these members."""
    if not isinstance(data, Mapping):
        raise VersionFault(pointer)
    for name in sorted(names ^ set(data)):
        raise VersionFault(f"{pointer}/{name}")
