"""Which old events no colour rests on any more: their absence changes nothing. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from citizen_cloud.clock import local_day
from citizen_cloud.modules.health_code.rules.colours import Standing, fold, midnight
from citizen_cloud.modules.health_code.rules.events import Event
from citizen_cloud.modules.health_code.rules.versions import RuleVersion

KEPT_DAYS = 180
# A colour can be computed again for every day of the last so many.
HISTORY = timedelta(days=90)
# What green rests on
_DECLARING = ("declared", "checked_in")

Look = tuple[RuleVersion, datetime]


def oldest_kept(at: datetime) -> datetime:
    """Return the midnight behind which everything is kept."""
    return midnight(local_day(at).toordinal() - KEPT_DAYS)


def forgettable(events: Sequence[Event], looks: Sequence[Look], at: datetime) -> set[UUID]:
    """Return the old events without which each of the looks shows the same.

    ``looks``: rules and instants, the present ones and those of the oldest day that must still be
    computable. The last declaration stays, for green may rest on it for good, and so does
    everything since the cause of a colour that goes on.
    """
    cut = oldest_kept(at)
    old = [event for event in events if event.occurred_at < cut]
    if not old:
        return set()
    shown = _seen(events, looks)
    for kept in _choices(old, shown):
        left = _closed(events, {event.id for event in old} - kept)
        rest = [event for event in events if event.id not in left]
        if _seen(rest, looks) == shown:
            return left
    return set()


def _seen(events: Sequence[Event], looks: Sequence[Look]) -> list[Standing]:
    """Fold for each look; how long a streak was, beyond what any rule asks, is no colour."""
    return [
        replace(fold([event for event in events if event.occurred_at <= at], version, at), streak=0)
        for version, at in looks
    ]


def _choices(old: Sequence[Event], shown: Sequence[Standing]) -> Iterator[set[UUID]]:
    """Return what may have to stay: nothing, the last that was declared, a cause and all since."""
    yield set()
    declared = [event for event in old if event.kind in _DECLARING]
    newest = sorted(declared, key=lambda event: (event.occurred_at, event.id))[-1:]
    warm = [event for event in declared if "temperature_c" in event.payload]
    newest += sorted(warm, key=lambda event: (event.occurred_at, event.id))[-1:]
    last = {event.id for event in newest}
    yield last
    causes = {reason.event_id for standing in shown for reason in standing.reasons}
    since = min((event.day for event in old if event.id in causes), default=None)
    if since is not None:
        yield last | {event.id for event in old if event.day >= since}


def _closed(events: Sequence[Event], left: set[UUID]) -> set[UUID]:
    """Leave an event and its withdrawal together, or keep both."""
    taken_back = [event for event in events if event.withdraws is not None]
    for event in taken_back:
        if (event.id in left) != (event.withdraws in left):
            left = left - {event.id, event.withdraws}
    return left
