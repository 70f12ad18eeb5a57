"""Tell people that their colour changed, why, and how to appeal."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.families.services import accounts_to_tell
from citizen_cloud.manifest import Event
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.rules.notices import colour_notice

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
    event_id = event.payload["event_id"]
    # Nobody books here: whoever is told is the person, else whoever may act for it.
    for account_id in accounts_to_tell(
        session, person_id=person_id, booked_by=person_id, scope=MODULE
    ):
        note = Note(
            account_id=account_id,
            kind="health_code.colour",
            title=title,
            body=body,
            dedupe_key=f"health_code.colour:{event.id}:{account_id}",
            subject_type="health_event" if event_id else None,
            subject_id=UUID(event_id) if event_id else None,
        )
        notify(session, note=note, now=now)
