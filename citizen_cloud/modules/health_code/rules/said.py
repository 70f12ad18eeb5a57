"""What a person's events come to, in days: check-ins, symptoms, and what set each rule off."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from citizen_cloud.modules.health_code.rules.events import Event
from citizen_cloud.modules.health_code.rules.versions import Rule, RuleVersion

LONGEST_STREAK = 180


@dataclass(slots=True)
class Said:
    """What events come to, in days."""

    check_ins: set[int] = field(default_factory=set)
    symptoms: set[int] = field(default_factory=set)
    needed: set[int] = field(default_factory=set)
    releases: list[int] = field(default_factory=list)
    # rule → what set it off and on which day: the latest, or each where each says its own end
    triggers: dict[str, list[tuple[int, Event]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Well:
    """Days of declarations that told of nothing; ``measured``: those with a temperature."""

    days: frozenset[int] = frozenset()
    measured: frozenset[int] = frozenset()


NOTHING = Well()


def is_symptomatic(payload: Mapping[str, Any], fever_c: float) -> bool:
    """Return whether a declaration names a symptom or a fever."""
    return bool(payload["symptoms"]) or payload.get("temperature_c", 0) >= fever_c


def is_well(payload: Mapping[str, Any], fever_c: float) -> bool:
    """Return whether a declaration tells of nothing at all."""
    return not payload["contact_with_case"] and not is_symptomatic(payload, fever_c)


def gather(events: Iterable[Event], version: RuleVersion, well: Well = NOTHING) -> Said:
    """Take everything in that was not withdrawn."""
    said = Said(check_ins=set(well.days))
    said.needed |= well.days if version.needs == "declaration" else well.measured
    listed = list(events)
    taken_back = {event.withdraws for event in listed if event.kind == "withdrawn"}
    for event in listed:
        if event.id in taken_back:
            continue
        day = event.day
        _take(said, event, day, version)
        if event.kind == "declared" and is_well(event.payload, version.fever_c):
            # Nearly everything anybody ever says; no rule is set off by it.
            continue
        for rule in version.by_kind.get(event.kind, ()):
            if _sets_off(rule, event, version.fever_c):
                _remember(said, rule, event, day)
    # A day on which somebody fell ill is no day without symptoms, whatever he said before.
    said.check_ins -= said.symptoms
    return said


def _take(said: Said, event: Event, day: int, version: RuleVersion) -> None:
    if event.kind == "declared":
        ill = is_symptomatic(event.payload, version.fever_c)
        (said.symptoms if ill else said.check_ins).add(day)
        if version.needs == "declaration" or "temperature_c" in event.payload:
            said.needed.add(day)
    elif event.kind == "checked_in":
        said.check_ins.add(day)
        if version.needs == "declaration":
            said.needed.add(day)
    elif event.kind in ("recovery", "exclusion"):
        said.releases.append(day)


def _remember(said: Said, rule: Rule, event: Event, day: int) -> None:
    if event.kind == "trip":
        # The risk ends with the journey, not with the day it was told.
        day = min(day, date.fromisoformat(event.payload["arrived_on"]).toordinal())
    held = said.triggers.setdefault(rule.id, [])
    if rule.ends_by == "given" or not held:
        held.append((day, event))
    elif (held[0][0], held[0][1].occurred_at) <= (day, event.occurred_at):
        held[0] = (day, event)


def _sets_off(rule: Rule, event: Event, fever_c: float) -> bool:
    if event.kind == "declared":
        return _declared(rule, event.payload, fever_c)
    if event.kind == "trip":
        places = (event.payload["from_area"], event.payload["to_area"])
        return any(place.startswith(rule.words) for place in places)
    member = {"test_result": "result", "exposure": "class", "assigned": "colour"}[event.kind]
    return event.payload[member] in rule.words


def _declared(rule: Rule, payload: Mapping[str, Any], fever_c: float) -> bool:
    if rule.on == "contact":
        return bool(payload["contact_with_case"])
    if rule.on != "symptoms":
        return False
    has_fever = "fever" in rule.words and payload.get("temperature_c", 0) >= fever_c
    return has_fever or any(one in rule.words for one in payload["symptoms"])


def streak(check_ins: set[int], today: int) -> int:
    """Return how many days in a row were checked in, up to today or yesterday.

    No further back than events are kept, so that forgetting them changes nothing.
    """
    day = today if today in check_ins else today - 1
    length = 0
    while day in check_ins and length < LONGEST_STREAK:
        length, day = length + 1, day - 1
    return length
