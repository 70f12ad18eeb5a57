"""Whom to tell about a person's business, and telling them."""

from collections.abc import Collection
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
    SELECT q.person_id, t.id
      FROM unnest(cast(:people AS uuid[]), cast(:bookers AS uuid[])) AS q (person_id, booked_by),
    LATERAL (
        WITH proxies AS (
            SELECT a.id FROM families.link l
              JOIN accounts.account a ON a.person_id = l.acting_id AND a.status <> 'closed'
             WHERE l.represented_id = q.person_id AND l.status = 'active'
               AND :scope = ANY(l.scopes)
               AND (l.expires_at IS NULL
                    OR l.expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp()))
        ), own AS (
            SELECT id FROM accounts.account WHERE person_id = q.person_id AND status <> 'closed'
             UNION
            SELECT id FROM proxies WHERE id = q.booked_by
        )
        SELECT id FROM own
         UNION ALL
        SELECT id FROM proxies WHERE NOT EXISTS (SELECT FROM own)
    ) t
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
    facts = {"people": [person_id], "bookers": [booked_by], "scope": scope, "now": now}
    return [row.id for row in session.execute(_TO_TELL, facts)]


def accounts_of_all(
    session: Session, *, people: Collection[UUID], scope: str, now: datetime | None = None
) -> dict[UUID, list[UUID]]:
    """Return whose inboxes get the news about each of many people, where nobody booked."""
    listed = sorted(set(people))
    found: dict[UUID, list[UUID]] = {one: [] for one in listed}
    facts = {"people": listed, "bookers": listed, "scope": scope, "now": now}
    for row in session.execute(_TO_TELL, facts):
        found[row.person_id].append(row.id)
    return found


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
