"""What runs without a request: telling whom a request concerns, and tidying what is over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.db import rows_changed
from citizen_cloud.families.services import following
from citizen_cloud.families.services.writing import announce_lapsed
from citizen_cloud.manifest import Event

KEEP_DAYS = 183
# Time decides wherever a right is asked for; these only keep the table small and honest.
_LAPSE = text(
    """
    UPDATE families.link SET status = 'expired', ended_at = :now
     WHERE status = 'pending' AND answer_by <= :now OR status = 'active' AND expires_at <= :now
    RETURNING id, acting_id, represented_id, old.status AS was
    """
)
_FORGET = text(
    """
    DELETE FROM families.link
     WHERE status IN ('refused', 'revoked', 'expired')
       AND ended_at < :now - make_interval(days => :days)
    """
)


def asked(session: Session, event: Event, now: datetime) -> None:
    """Find out whom a request concerns, and tell them."""
    following.follow_request(session, link_id=UUID(event.payload["link_id"]), now=now)


def booked(session: Session, event: Event, now: datetime) -> None:
    """Write down what a proxy booked."""
    del now
    at = event.created_at
    following.note_booking(session, event_id=event.id, at=at, payload=event.payload)


def tidy(now: datetime) -> int:
    """Mark links and requests whose time is over, forget old ones; return how many."""
    with db.transaction() as session:
        following.find_people(session)
        lapsed = announce_lapsed(session, session.execute(_LAPSE, {"now": now}).mappings())
        gone = rows_changed(session, _FORGET, {"now": now, "days": KEEP_DAYS})
    return int(lapsed + gone)
