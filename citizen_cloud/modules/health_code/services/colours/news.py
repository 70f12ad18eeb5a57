"""Tell people that their colour changed, why, and how to appeal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.families.services import accounts_of_all
from citizen_cloud.manifest import Event
from citizen_cloud.messages.services import Note, notify_all
from citizen_cloud.modules.health_code.queries.standings import reason
from citizen_cloud.modules.health_code.rules.notices import (
    assigned_notice,
    colour_notice,
    past_notice,
)
from citizen_cloud.text import Text

MODULE = "health_code"
# An event, and what it makes us say: title and body
Said = tuple[Event, tuple[Text, Text]]

_STANDINGS = text(
    "SELECT person_id, colour, reasons FROM health_code.standing WHERE person_id = ANY(:people)"
)


def tell_colours(session: Session, events: Sequence[Event], now: datetime) -> None:
    """Put changes into the inboxes of the people, or of those who act for who has none.

    The reasons are those of the present standing. Where it changed again meanwhile, the news says
    so: that of the later change may have come first.
    """
    people = {"people": [_person(event) for event in events]}
    standings = {row.person_id: row for row in session.execute(_STANDINGS, people)}
    said: list[Said] = []
    for event in events:
        standing = standings.get(_person(event))
        if standing is None or event.secret is None:
            continue
        colour = event.secret["to"]
        if standing.colour == colour:
            notice = colour_notice(colour, [reason(one) for one in standing.reasons])
        else:
            notice = past_notice(colour)
        said.append((event, notice))
    _tell(session, "health_code.colour", said, now)


_ASSIGNED = text(
    "SELECT id, payload FROM health_code.event WHERE id = ANY(:ids) AND kind = 'assigned'"
)


def tell_assigned(session: Session, events: Sequence[Event], now: datetime) -> None:
    """Tell people of a colour given by hand behind one that stays: why, and how to appeal."""
    asked = {"ids": [UUID(event.payload["event_id"]) for event in events]}
    given: Mapping[UUID, Any] = {row.id: row.payload for row in session.execute(_ASSIGNED, asked)}
    said: list[Said] = []
    for event in events:
        facts = given.get(UUID(event.payload["event_id"]))
        if facts is not None:
            notice = assigned_notice(facts["colour"], facts["reason"], facts["days"])
            said.append((event, notice))
    _tell(session, "health_code.assigned", said, now)


def _person(event: Event) -> UUID:
    return UUID(event.payload["person_id"])


def _tell(session: Session, kind: str, said: Sequence[Said], now: datetime) -> None:
    # Nobody books here: whoever is told is the person, else whoever may act for it.
    accounts = accounts_of_all(session, people=[_person(event) for event, _ in said], scope=MODULE)
    notes = [
        _note(kind, event, account_id, notice)
        for event, notice in said
        for account_id in accounts[_person(event)]
    ]
    notify_all(session, notes=notes, now=now)


def _note(kind: str, event: Event, account_id: UUID, notice: tuple[Text, Text]) -> Note:
    event_id = event.payload["event_id"]
    title, body = notice
    return Note(
        account_id=account_id,
        kind=kind,
        title=title,
        body=body,
        dedupe_key=f"{kind}:{event.id}:{account_id}",
        subject_type="health_event" if event_id else None,
        subject_id=UUID(event_id) if event_id else None,
    )
