"""What follows a request or a booking, by event: who is concerned, and what they are told."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.families.services.audience import News, tell
from citizen_cloud.families.services.representing import purpose_of
from citizen_cloud.text import Text

_FIND = text(
    """
    UPDATE families.link l SET represented_id = p.id
      FROM accounts.person p
     WHERE p.person_key = l.represented_key AND p.erased_at IS NULL
       AND l.represented_id IS NULL AND (cast(:id AS uuid) IS NULL OR l.id = :id)
    """
)
_CONCERNED = text(
    """
    SELECT CASE WHEN l.relation = 'child' THEN g.acting_id ELSE l.represented_id END AS person_id
      FROM families.link l
      LEFT JOIN families.link g
        ON l.relation = 'child' AND g.relation = 'child' AND g.status = 'active'
       AND g.represented_key = l.represented_key AND g.id <> l.id
       AND (g.expires_at IS NULL OR g.expires_at > :now)
     WHERE l.id = :id AND l.is_credible AND l.status = 'pending' AND l.answer_by > :now
    """
)
# The id is the event's, so that an event handled twice leaves one row.
_BOOKED = text(
    """
    INSERT INTO accounts.data_access
           (id, person_id, at, reader_kind, reader_id, purpose, categories, basis_type, basis_id,
            outcome)
    VALUES (:id, :person_id, :at, 'proxy', :reader_id, :purpose, ARRAY['bookings'], 'link',
            :link_id, 'changed')
    ON CONFLICT (id) DO NOTHING
    """
)
SOMEBODY_ASKS = (
    Text("有一项代办申请待您答复", "Somebody asks to act for you or your child"),
    Text(
        "有人申请为您（或您监护的孩子）办理业务，请在“家人”中查看并答复；不认识对方请拒绝。",
        "Somebody asks to act for you or a child of yours. Read the request in your family list "
        "and answer it; refuse whom you do not know.",
    ),
)


def follow_request(session: Session, *, link_id: UUID, now: datetime) -> None:
    """Find out whom a request concerns, and tell those who have to answer it."""
    session.execute(_FIND, {"id": link_id})
    title, body = SOMEBODY_ASKS
    news = News(kind="asked", title=title, body=body, link_id=link_id)
    for person_id in session.scalars(_CONCERNED, {"id": link_id, "now": now}).all():
        if person_id is not None:
            tell(session, person_id=person_id, news=news, now=now)


def find_people(session: Session) -> int:
    """Fill in those who became known after somebody asked for them; return how many."""
    return rows_changed(session, _FIND, {"id": None})


def note_booking(
    session: Session, *, event_id: UUID, at: datetime, payload: Mapping[str, Any]
) -> None:
    """Write down a booking that a link allowed; one's own are nobody's look."""
    if "link_id" not in payload:
        return
    session.execute(
        _BOOKED,
        {
            "id": event_id,
            "person_id": UUID(payload["person_id"]),
            "at": at,
            "reader_id": UUID(payload["account_id"]),
            "purpose": purpose_of(payload["module"]),
            "link_id": UUID(payload["link_id"]),
        },
    )
