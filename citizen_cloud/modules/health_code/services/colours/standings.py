"""Write where people stand, and in the same transaction everything a changed colour ends."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record_all
from citizen_cloud.credentials import services as credentials
from citizen_cloud.jobs.services import announce_all
from citizen_cloud.modules.health_code.queries.events import pasts_of
from citizen_cloud.modules.health_code.rules.colours import Reason, Standing, fold
from citizen_cloud.modules.health_code.rules.versions import Colour, RuleVersion

COLOUR_CHANGED = "health_code.colour_changed"
# So many people's events are read by one statement.
AT_ONCE = 500
# Codes that die with the colour they say, and the ones that wait for it to come back. Thin ones
# are compared with the colour when they are checked.
SHORT_CODES = ("hc",)
PAPER_CODES = ("hp",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who or what made people be looked at again; an event, or time and rules alone."""

    actor_kind: str = "system"
    actor_id: UUID | None = None
    event_id: UUID | None = None
    organisation_id: UUID | None = None
    by_hand: bool = False


BY_ITSELF = Cause()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A colour that is another one now."""

    person_id: UUID
    before: Colour
    after: Colour
    event_id: UUID | None


# An attempt that finds the row there would use up a handle. Who is being erased is waited for.
_OPEN = text(
    """
    INSERT INTO health_code.standing (person_id, rule_version)
    SELECT p.id, :number FROM (
           SELECT id FROM accounts.person p
            WHERE id = ANY(:people) AND erased_at IS NULL
              AND NOT EXISTS (SELECT FROM health_code.standing s WHERE s.person_id = p.id)
            ORDER BY id FOR KEY SHARE OF p) p
     ORDER BY p.id
    ON CONFLICT DO NOTHING
    """
)
# In one order for everybody, so that two batches wait for each other and never in a circle.
_LOCK = text(
    """
    SELECT person_id, colour FROM health_code.standing
     WHERE person_id = ANY(:people) ORDER BY person_id FOR UPDATE
    """
)
_NOW = text("SELECT coalesce(cast(:now AS timestamptz), statement_timestamp())")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """People nobody else looks at meanwhile: their colours before, and what time it is."""

    colours: Mapping[UUID, Colour]
    at: datetime

    def only(self, people: Collection[UUID]) -> "Locked":
        """Return some of them."""
        known = {one: self.colours[one] for one in people if one in self.colours}
        return Locked(colours=known, at=self.at)


def lock(
    session: Session, people: Collection[UUID], *, number: int, now: datetime | None
) -> Locked:
    """Hold people's rows, making those that lack, but of who was erased; read the clock behind."""
    listed = sorted(set(people))
    session.execute(_OPEN, {"people": listed, "number": number})
    rows = session.execute(_LOCK, {"people": listed}).all()
    at = session.execute(_NOW, {"now": now}).scalar_one()
    return Locked(colours={row.person_id: row.colour for row in rows}, at=at)


_WRITE = text(
    """
    UPDATE health_code.standing s
       SET colour = n.colour, as_of = :at, reasons = n.reasons, next_change_at = n.next_change_at,
           green_from = n.green_from, holds_until = n.holds_until, streak = n.streak,
           rule_version = :number,
           changed_at = CASE WHEN s.colour = n.colour THEN s.changed_at ELSE :at END
      FROM unnest(
           cast(:people AS uuid[]), cast(:colours AS text[]), cast(:reasons AS jsonb[]),
           cast(:next_change_at AS timestamptz[]), cast(:green_from AS timestamptz[]),
           cast(:holds_until AS timestamptz[]), cast(:streak AS integer[]))
           AS n (person_id, colour, reasons, next_change_at, green_from, holds_until, streak)
     WHERE s.person_id = n.person_id
    """
)


def refold(
    session: Session,
    locked: Locked,
    *,
    version: RuleVersion,
    causes: Mapping[UUID, Cause] | None = None,
) -> list[Change]:
    """Fold everybody who is locked anew, write it, and end what no longer says their colour.

    The number of statements does not grow with the number of people, but for one that reads the
    events of every five hundred: nobody's past is held longer than it is folded, and the server
    never waits so long for the next statement that it ends the transaction.
    """
    people = list(locked.colours)
    folded: dict[UUID, Standing] = {}
    for first in range(0, len(people), AT_ONCE):
        some = people[first : first + AT_ONCE]
        pasts = pasts_of(session, some, fever_c=version.fever_c)
        for one in some:
            events, well = pasts[one]
            folded[one] = fold(events, version, locked.at, well)
    _write(session, folded, at=locked.at, number=version.number)
    known = causes or {}
    changes = [
        Change(
            person_id=one,
            before=locked.colours[one],
            after=folded[one].colour,
            event_id=known.get(one, BY_ITSELF).event_id or _first_event(folded[one].reasons),
        )
        for one in people
        if folded[one].colour != locked.colours[one]
    ]
    if changes:
        _follow(session, changes, known, folded, now=locked.at)
    return changes


def _first_event(reasons: Sequence[Reason]) -> UUID | None:
    return reasons[0].event_id if reasons else None


def _write(session: Session, folded: Mapping[UUID, Standing], *, at: datetime, number: int) -> None:
    found = list(folded.values())
    session.execute(
        _WRITE,
        {
            "at": at,
            "number": number,
            "people": list(folded),
            "colours": [one.colour for one in found],
            "reasons": [reasons_json(one.reasons) for one in found],
            "next_change_at": [one.next_change_at for one in found],
            "green_from": [one.green_from for one in found],
            "holds_until": [one.holds_until for one in found],
            "streak": [one.streak for one in found],
        },
    )


def reasons_json(reasons: Sequence[Reason]) -> str:
    """Return reasons as a row keeps them."""
    listed = [
        {
            "rule": one.rule,
            "version": one.version,
            "colour": one.colour,
            "text": one.text.as_json(),
            "until": one.until.isoformat() if one.until else None,
            "event_id": str(one.event_id) if one.event_id else None,
        }
        for one in reasons
    ]
    return json.dumps(listed, ensure_ascii=False)


def _follow(
    session: Session,
    changes: Sequence[Change],
    causes: Mapping[UUID, Cause],
    folded: Mapping[UUID, Standing],
    *,
    now: datetime,
) -> None:
    """Write the acts down, end the codes, and leave the news."""
    record_all(
        session, [_act(one, causes.get(one.person_id, BY_ITSELF), folded) for one in changes]
    )
    holders = [one.person_id for one in changes]
    credentials.revoke_held(session, holders=holders, types=SHORT_CODES, now=now)
    by_colour: dict[str, list[UUID]] = defaultdict(list)
    for one in changes:
        by_colour[one.after].append(one.person_id)
    for colour, people in sorted(by_colour.items()):
        paper: dict[str, Any] = {"holders": people, "types": PAPER_CODES, "colour": colour}
        credentials.suspend_held(session, **paper, now=now)
        credentials.lift_held(session, **paper, now=now)
    # Who was coloured by hand is told within a minute, whoever else is told anything meanwhile.
    by_hand = [one for one in changes if causes.get(one.person_id, BY_ITSELF).by_hand]
    others = [one for one in changes if not causes.get(one.person_id, BY_ITSELF).by_hand]
    announce_all(session, COLOUR_CHANGED, [_news(one) for one in by_hand], lane="urgent")
    announce_all(session, COLOUR_CHANGED, [_news(one) for one in others])


def _act(change: Change, cause: Cause, folded: Mapping[UUID, Standing]) -> Act:
    reasons = folded[change.person_id].reasons
    return Act(
        actor_kind=cause.actor_kind,
        actor_id=cause.actor_id,
        action=COLOUR_CHANGED,
        object_type="colour",
        object_id=change.event_id,
        organisation_id=cause.organisation_id,
        payload={
            "person_id": str(change.person_id),
            "from": change.before,
            "to": change.after,
            "rules": [one.rule for one in reasons],
            "rule_version": folded[change.person_id].rule_version,
        },
    )


def _news(change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return whom it is about, and sealed until it is told, the colour."""
    return (
        {
            "person_id": str(change.person_id),
            "event_id": str(change.event_id) if change.event_id else None,
        },
        {"from": change.before, "to": change.after},
    )
