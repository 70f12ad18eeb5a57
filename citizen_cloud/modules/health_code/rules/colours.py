"""The colour as a fold of everything that was said: pure, and the same for any past day.

Days are the city's, as ordinals. What was said counts at once; what time changes, it changes at
local midnights only, so that no instant in a code marks one person. Events are a set: one that
arrives late finds its place by when it happened.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from uuid import UUID

from citizen_cloud.clock import CITY, local_day
from citizen_cloud.modules.health_code.rules.events import Event
from citizen_cloud.modules.health_code.rules.said import NOTHING, Said, Well, gather, streak
from citizen_cloud.modules.health_code.rules.spans import Base, Span, spans
from citizen_cloud.modules.health_code.rules.versions import COLOURS, Colour, RuleVersion
from citizen_cloud.text import Text

_RANK = {colour: rank for rank, colour in enumerate(COLOURS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One rule that is active: since which event, and until when at the earliest."""

    rule: str
    version: int
    colour: Colour
    text: Text
    until: datetime | None
    event_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where somebody stands.

    ``next_change_at``: when the colour turns by itself if nothing more is said. ``green_from``:
    when it can be green at the earliest, if everything asked for is done. ``streak``: days of
    check-in in a row, up to today or yesterday. ``holds_until``: the first midnight at which any
    of this may read otherwise by itself, the streak of somebody who stopped as well.
    """

    colour: Colour
    as_of: datetime
    reasons: tuple[Reason, ...]
    next_change_at: datetime | None
    green_from: datetime | None
    streak: int
    rule_version: int
    holds_until: datetime | None


def fold(
    events: Iterable[Event], version: RuleVersion, at: datetime, well: Well = NOTHING
) -> Standing:
    """Return where somebody stands at ``at`` by these events, all said before it.

    Worst active rule wins. A rule counts from its latest event: what began later ends later.
    ``well``: declarations that told of nothing may be given as days instead of events.
    """
    today = local_day(at).toordinal()
    said = gather(events, version, well)
    found = spans(said, version, today)
    base = Base.of(said, version)
    colour = _colour_on(today, found, base)
    active = sorted(
        (span for span in found if span.covers(today)),
        key=lambda span: (-_RANK[span.rule.colour], span.rule.id),
    )
    length = streak(said.check_ins, today)
    turns_at = _next_change(today, found, base, colour)
    open_at = _next_look(today, found, said, length)
    return Standing(
        colour=colour,
        as_of=at,
        reasons=tuple(_reason(span, version) for span in active),
        next_change_at=turns_at,
        green_from=_green_from(today, found) if active else None,
        streak=length,
        rule_version=version.number,
        holds_until=min((one for one in (turns_at, open_at) if one), default=None),
    )


def midnight(day: int) -> datetime:
    """Return the instant a local day begins."""
    return datetime.combine(date.fromordinal(day), time(), CITY).astimezone(UTC)


def _colour_on(day: int, found: Sequence[Span], base: Base) -> Colour:
    active: list[Colour] = [span.rule.colour for span in found if span.covers(day)]
    return max([base.on(day), *active], key=_RANK.__getitem__)


def _next_change(today: int, found: Sequence[Span], base: Base, colour: Colour) -> datetime | None:
    days = {base.runs_out} | {day for span in found for day in (span.since, span.until)}
    for day in sorted(day for day in days if day is not None and day > today):
        if _colour_on(day, found, base) != colour:
            return midnight(day)
    return None


def _next_look(today: int, found: Sequence[Span], said: Said, length: int) -> datetime | None:
    """Return when what depends on being here again reads otherwise: an open end, a streak."""
    days = {day for span in found for day in (span.since, span.until) if day and day > today}
    if any(span.until is None for span in found if span.covers(today)):
        days.add(today + 1)
    if length:
        days.add(today + 2 if today in said.check_ins else today + 1)
    return midnight(min(days)) if days else None


def _green_from(today: int, found: Sequence[Span]) -> datetime | None:
    ends = [
        span.until or span.earliest
        for span in found
        if (span.until or today + 1) > today and not _is_lapse_ahead(span, today)
    ]
    known = [end for end in ends if end is not None]
    return midnight(max(known)) if known and len(known) == len(ends) else None


def _is_lapse_ahead(span: Span, today: int) -> bool:
    return span.rule.on == "lapse" and span.since > today


def _reason(span: Span, version: RuleVersion) -> Reason:
    until = span.until or span.earliest
    return Reason(
        rule=span.rule.id,
        version=version.number,
        colour=span.rule.colour,
        text=span.rule.text,
        until=None if until is None else midnight(until),
        event_id=span.event_id,
    )
