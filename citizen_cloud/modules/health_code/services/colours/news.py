"""Tell people that their colour changed, why, and how to appeal."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.families.services import accounts_to_tell
from citizen_cloud.manifest import Event
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.rules.notices import assigned_notice, colour_notice
from citizen_cloud.text import Text

MODULE = "health_code"


def tell_colour(session: Session, event: Event, now: datetime) -> None:
    """Put one change into the inbox of the person, or of those who act for who has none.

    The reasons are those of the present standing; where it changed again meanwhile, the news of
    that change follows.
    """
    person_id = UUID(event.payload["person_id"])
    standing = standing_of(session, person_id)
    if standing is None or event.secret is None:
        return
    colour = event.secret["to"]
    reasons = standing.reasons if standing.colour == colour else ()
    title, body = colour_notice(colour, reasons)
    _tell(session, event, person_id, ("health_code.colour", title, body), now)


_ASSIGNED = text("SELECT payload FROM health_code.event WHERE id = :id AND kind = 'assigned'")


def tell_assigned(session: Session, event: Event, now: datetime) -> None:
    """Tell a person of a colour given by hand behind one that stays: why, and how to appeal."""
    given = session.scalar(_ASSIGNED, {"id": UUID(event.payload["event_id"])})
    if given is None:
        return
    title, body = assigned_notice(given["colour"], given["reason"], given["days"])
    person_id = UUID(event.payload["person_id"])
    _tell(session, event, person_id, ("health_code.assigned", title, body), now)


def _tell(
    session: Session, event: Event, person_id: UUID, said: tuple[str, Text, Text], now: datetime
) -> None:
    kind, title, body = said
    event_id = event.payload["event_id"]
    # Nobody books here: whoever is told is the person, else whoever may act for it.
    for account_id in accounts_to_tell(
        session, person_id=person_id, booked_by=person_id, scope=MODULE
    ):
        note = Note(
            account_id=account_id,
            kind=kind,
            title=title,
            body=body,
            dedupe_key=f"{kind}:{event.id}:{account_id}",
            subject_type="health_event" if event_id else None,
            subject_id=UUID(event_id) if event_id else None,
        )
        notify(session, note=note, now=now)
