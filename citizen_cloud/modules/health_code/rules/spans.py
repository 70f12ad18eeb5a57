"""From when until when each rule is active, as far as what was said decides it."""

from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from citizen_cloud.modules.health_code.rules.events import Event
from citizen_cloud.modules.health_code.rules.said import Said, streak
from citizen_cloud.modules.health_code.rules.versions import Colour, Rule, RuleVersion


@dataclass(frozen=True, slots=True)
class Span:
    """A rule from one day until another, None while something is still missing for its end."""

    rule: Rule
    event_id: UUID | None
    since: int
    until: int | None
    earliest: int | None
    # Whether it begins at all is not known yet.
    is_tentative: bool = False

    def covers(self, day: int) -> bool:
        """Return whether the rule is active on a day."""
        if self.is_tentative or day < self.since:
            return False
        return self.until is None or day < self.until


def spans(said: Said, version: RuleVersion, today: int) -> list[Span]:
    """Return the spans of every rule that ever began, in the order of the rules."""
    found: list[Span] = []
    for rule in version.rules:
        if rule.on == "lapse":
            found += _lapses(rule, said, version, today)
        elif rule.on == "end_of":
            parents = [span for span in found if span.rule.id == rule.words[0]]
            found += [_after(span, rule, said, today) for span in parents if span.earliest]
        elif rule.id in said.triggers:
            found += [_span(rule, event, day, said, today) for day, event in said.triggers[rule.id]]
    return found


def _span(rule: Rule, event: Event, day: int, said: Said, today: int) -> Span:
    if rule.ends_by == "given":
        end = day + event.payload["days"]
        return Span(rule, event.id, day, end, end)
    until, earliest = _end(rule, day, said, today)
    return Span(rule, event.id, day, until, earliest)


def _end(rule: Rule, day: int, said: Said, today: int) -> tuple[int | None, int | None]:
    """Return the day a rule that began on ``day`` ends: for sure, and at the earliest."""
    if rule.ends_by == "check_ins":
        until = _run_complete(said.check_ins, day, rule.days)
        if until is not None:
            return until, until
        # Today counts once it is checked in, and can still be.
        is_done = today in said.check_ins and today > day
        last = today if is_done else today - 1
        done = min(streak(said.check_ins, today), max(last - day, 0))
        first = today + 1 if is_done else max(today, day + 1)
        return None, first + rule.days - done
    if rule.ends_by == "release":
        releases = [release for release in said.releases if release >= day]
        until = min(releases) + rule.days if releases else None
        return until, until
    since = day
    if rule.ends_by == "quiet":
        since = _last_within(said.symptoms, day, rule.days)
    return since + rule.days, since + rule.days


def _last_within(symptoms: set[int], day: int, length: int) -> int:
    """Return the last day with symptoms before so many days without any were over.

    What falls ill later is a matter of its own and does not wake what has ended.
    """
    for one in sorted(one for one in symptoms if one >= day):
        if one >= day + length:
            break
        day = one
    return day


def _run_complete(days: set[int], after: int, length: int) -> int | None:
    """Return the day behind the first run of so many days in a row, all after a day."""
    run, last = 0, after
    for day in sorted(day for day in days if day > after):
        run = run + 1 if day == last + 1 else 1
        last = day
        if run == length:
            return day + 1
    return None


def _after(parent: Span, rule: Rule, said: Said, today: int) -> Span:
    begins = parent.until or parent.earliest or 0
    until, earliest = _end(rule, begins, said, today)
    return Span(rule, parent.event_id, begins, until, earliest, parent.until is None)


def _lapses(rule: Rule, said: Said, version: RuleVersion, today: int) -> list[Span]:
    """Return the last gap that ended in which green was not prolonged, and the one that follows."""
    days = sorted(said.needed)
    if not days or version.valid_days is None:
        return []
    found = []
    gaps = [
        (one + version.valid_days, other)
        for one, other in pairwise(days)
        if other > one + version.valid_days
    ]
    if gaps:
        since, resumed = gaps[-1]
        until, earliest = _end(rule, since, said, today)
        until = None if until is None else max(until, resumed)
        found.append(Span(rule, None, since, until, earliest))
    since = days[-1] + version.valid_days
    _, earliest = _end(rule, since, said, today)
    return [*found, Span(rule, None, since, None, earliest)]


@dataclass(frozen=True, slots=True)
class Base:
    """What holds where no rule is active: green once declared, until it runs out."""

    is_declared: bool
    runs_out: int | None

    @classmethod
    def of(cls, said: Said, version: RuleVersion) -> "Base":
        """Return the base; where a rule takes over at the lapse, green itself never runs out."""
        if not said.needed or version.valid_days is None:
            return cls(is_declared=bool(said.needed), runs_out=None)
        has_rule = any(rule.on == "lapse" for rule in version.rules)
        return cls(
            is_declared=True, runs_out=None if has_rule else max(said.needed) + version.valid_days
        )

    def on(self, day: int) -> Colour:
        """Return the colour of a day without a rule."""
        if not self.is_declared or (self.runs_out is not None and day >= self.runs_out):
            return "none"
        return "green"
