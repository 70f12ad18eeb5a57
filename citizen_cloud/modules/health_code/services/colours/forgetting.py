"""Forget what was said of people once no colour rests on it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.modules.health_code.queries.events import events_of
from citizen_cloud.modules.health_code.queries.versions import live_version, version_at
from citizen_cloud.modules.health_code.rules.forgetting import HISTORY, forgettable, oldest_kept
from citizen_cloud.modules.health_code.services.colours.standings import lock, refold

MOST = 500
_NOW = text("SELECT coalesce(cast(:now AS timestamptz), statement_timestamp())")
# One probe of the index of events for each person.
_NEXT = text(
    """
    SELECT s.person_id FROM health_code.standing s
     WHERE (cast(:after AS uuid) IS NULL OR s.person_id > :after)
       AND EXISTS (SELECT FROM health_code.event e
                    WHERE e.person_id = s.person_id AND e.occurred_at < :cut)
     ORDER BY s.person_id LIMIT :most
    """
)
_FORGET = text("DELETE FROM health_code.event WHERE id = ANY(:ids)")


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What became of a batch: how many events went, and whom to go on behind."""

    events: int
    last: UUID | None


def forget_some(
    session: Session, *, after: UUID | None, most: int = MOST, now: datetime | None = None
) -> Forgotten:
    """Forget old events of the next people behind an id; ``last`` is None at the end.

    A batch is one transaction: stopped anywhere, beginning anew does what is left. Whoever is
    looked at is locked, so that nothing that comes meanwhile is folded without what it needs.
    """
    at = session.execute(_NOW, {"now": now}).scalar_one()
    asked = {"after": after, "cut": oldest_kept(at), "most": most}
    people = list(session.scalars(_NEXT, asked))
    if not people:
        return Forgotten(events=0, last=None)
    version = live_version(session)
    locked = lock(session, people, number=version.number, now=now)
    looks = [(version, at)]
    if before := version_at(session, at - HISTORY):
        looks.append((before, at - HISTORY))
    said = events_of(session, people)
    left = {one: forgettable(said.get(one, ()), looks, at) for one in people}
    ids = [event_id for each in left.values() for event_id in each]
    if ids:
        session.execute(_FORGET, {"ids": ids})
        refold(session, locked.only([one for one in people if left[one]]), version=version)
    return Forgotten(events=len(ids), last=people[-1])


# What a run would have changed for whom decides for a day; its counts stay.
_FLIPS = text(
    """
    DELETE FROM health_code.shadow_flip f USING health_code.shadow_run r
     WHERE r.id = f.run_id
       AND r.finished_at < coalesce(cast(:now AS timestamptz), statement_timestamp())
                           - interval '30 days'
    """
)


def forget_flips(session: Session, *, now: datetime | None = None) -> int:
    """Forget who would have changed colour in trials that are over for a month."""
    return rows_changed(session, _FLIPS, {"now": now})
