"""Whom to tell about a person's business, and telling them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.messages.services import Note, notify
from citizen_cloud.text import Text

# The booker as long as the business is his own or a link still covers it; the person; and where
# neither is left, everybody who may act in this service.
_TO_TELL = text(
    """
    WITH proxies AS (
        SELECT a.id FROM families.link l
          JOIN accounts.account a ON a.person_id = l.acting_id AND a.status <> 'closed'
         WHERE l.represented_id = :person_id AND l.status = 'active'
           AND :scope = ANY(l.scopes)
           AND (l.expires_at IS NULL
                OR l.expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp()))
    ), own AS (
        SELECT id FROM accounts.account WHERE person_id = :person_id AND status <> 'closed'
         UNION
        SELECT id FROM proxies WHERE id = :booked_by
    )
    SELECT id FROM own
     UNION ALL
    SELECT id FROM proxies WHERE NOT EXISTS (SELECT FROM own)
    """
)


def accounts_to_tell(
    session: Session,
    *,
    person_id: UUID,
    booked_by: UUID,
    scope: str,
    now: datetime | None = None,
) -> list[UUID]:
    """Return whose inboxes get the news of a booking; a proxy who was removed hears no more."""
    facts = {"person_id": person_id, "booked_by": booked_by, "scope": scope, "now": now}
    return list(session.scalars(_TO_TELL, facts))


@dataclass(frozen=True, kw_only=True)
class News:
    """What is told, without any name: the apps show the link it is about."""

    kind: str
    title: Text
    body: Text
    link_id: UUID


_ACCOUNTS = text(
    "SELECT id FROM accounts.account WHERE person_id = :person_id AND status <> 'closed'"
)


def tell(session: Session, *, person_id: UUID, news: News, now: datetime) -> None:
    """Put news into a person's inbox, once; somebody without an account is not told."""
    for account_id in session.scalars(_ACCOUNTS, {"person_id": person_id}):
        note = Note(
            account_id=account_id,
            kind=f"families.{news.kind}",
            title=news.title,
            body=news.body,
            dedupe_key=f"families.{news.kind}:{news.link_id}:{account_id}",
            subject_type="link",
            subject_id=news.link_id,
        )
        notify(session, note=note, now=now)
