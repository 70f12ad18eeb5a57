"""The inbox of an account: put in, list, mark as read."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import phone_place
from citizen_cloud.crypto import Undecryptable
from citizen_cloud.errors import NotFound
from citizen_cloud.messages.services.deliveries import queue_text
from citizen_cloud.text import Text

# A text that comes half a day late helps nobody; the inbox keeps the message.
SMS_LIFE = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class Note:
    """What is told to one account; ``dedupe_key`` makes telling it twice harmless."""

    account_id: UUID
    kind: str
    title: Text
    body: Text
    dedupe_key: str
    subject_type: str | None = None
    subject_id: UUID | None = None
    sms: bool = False


# The locks wait for an erasure under way: nothing is told to whom it forgot. In one order for
# everybody, so that two who tell many wait for each other and never in a circle.
_MESSAGES = text(
    """
    WITH a AS (SELECT id FROM accounts.account
                WHERE id = ANY(:accounts) AND status <> 'closed' ORDER BY id FOR SHARE)
    INSERT INTO messages.message
           (account_id, kind, title, body, subject_type, subject_id, dedupe_key)
    SELECT a.id, n.kind, n.title, n.body, n.subject_type, n.subject_id, n.dedupe_key
      FROM unnest(cast(:accounts AS uuid[]), cast(:kinds AS text[]), cast(:titles AS jsonb[]),
                  cast(:bodies AS jsonb[]), cast(:subject_types AS text[]),
                  cast(:subject_ids AS uuid[]), cast(:keys AS text[]))
           AS n (account_id, kind, title, body, subject_type, subject_id, dedupe_key)
      JOIN a ON a.id = n.account_id
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING dedupe_key
    """
)


def notify(session: Session, *, note: Note, now: datetime) -> bool:
    """Put a note into the inbox, and a text on its way where asked.

    Return False if it was there, or if nobody reads it any more: the account is closed.
    """
    return bool(notify_all(session, notes=(note,), now=now))


def notify_all(session: Session, *, notes: Sequence[Note], now: datetime) -> set[str]:
    """Put many notes into their inboxes by one statement; return the keys of those that are new."""
    if not notes:
        return set()
    columns = {
        "accounts": [note.account_id for note in notes],
        "kinds": [note.kind for note in notes],
        "titles": [_json(note.title) for note in notes],
        "bodies": [_json(note.body) for note in notes],
        "subject_types": [note.subject_type for note in notes],
        "subject_ids": [note.subject_id for note in notes],
        "keys": [note.dedupe_key for note in notes],
    }
    new = set(session.scalars(_MESSAGES, columns))
    for note in notes:
        if note.sms and note.dedupe_key in new:
            _text_account(session, note, now)
    return new


def _json(words: Text) -> str:
    return json.dumps(words.as_json(), ensure_ascii=False)


def _text_account(session: Session, note: Note, now: datetime) -> None:
    row = session.execute(
        text("SELECT phone_sealed, language FROM accounts.account WHERE id = :id"),
        {"id": note.account_id},
    ).one()
    if row.phone_sealed is None:
        return
    try:
        phone = crypto.current().open(row.phone_sealed, place=phone_place(note.account_id))
    except Undecryptable:
        # The inbox still gets the message.
        return
    words = note.body.in_language(row.language)
    expires_at = now + SMS_LIFE
    queue_text(
        session, phone=phone, words=words, kind=note.kind, key=note.dedupe_key, until=expires_at
    )


# What a device may see that showed no document: what came after it was registered.
_SINCE = """
    (cast(:since_device AS uuid) IS NULL
     OR created_at >= (SELECT d.created_at FROM accounts.device d WHERE d.id = :since_device))
"""
# One row always: how much is unread, and beside it the page, if there is one.
_INBOX = text(
    f"""
    SELECT n.unread, m.*
      FROM (SELECT count(*) AS unread FROM messages.message
             WHERE account_id = :account_id AND read_at IS NULL AND {_SINCE}) n
      LEFT JOIN LATERAL (
           SELECT id, kind, title, body, subject_type, subject_id, created_at, read_at
             FROM messages.message
            WHERE account_id = :account_id AND (NOT :only_unread OR read_at IS NULL)
              AND (cast(:before AS uuid) IS NULL OR id < :before) AND {_SINCE}
            ORDER BY id DESC LIMIT :limit) m ON true
     ORDER BY m.id DESC
    """  # noqa: S608 - put together from constants
)


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """A page of messages, newest first, and how many are unread in all."""

    unread: int
    messages: list[dict[str, Any]]


def inbox(
    session: Session,
    *,
    account_id: UUID | None,
    since_device: UUID | None = None,
    only_unread: bool,
    before: UUID | None,
    limit: int,
) -> Inbox:
    """Return messages behind a cursor, in one statement; somebody without an account has none.

    With ``since_device`` only those are there that came after this device was registered.
    """
    facts = {
        "account_id": account_id,
        "since_device": since_device,
        "only_unread": only_unread,
        "before": before,
        "limit": limit,
    }
    rows = session.execute(_INBOX, facts).mappings().all()
    return Inbox(
        unread=rows[0]["unread"], messages=[dict(row) for row in rows if row["id"] is not None]
    )


_READ = text(
    f"""
    UPDATE messages.message SET read_at = coalesce(read_at, statement_timestamp())
     WHERE id = :id AND account_id = :account_id AND {_SINCE}
    RETURNING id, kind, title, body, subject_type, subject_id, created_at, read_at
    """  # noqa: S608 - put together from constants
)


def mark_read(
    session: Session, *, account_id: UUID, message_id: UUID, since_device: UUID | None = None
) -> dict[str, Any]:
    """Mark a message of one's own as read; again changes nothing. Raises ``NotFound``."""
    asked = {"id": message_id, "account_id": account_id, "since_device": since_device}
    row = session.execute(_READ, asked).mappings().first()
    if row is None:
        raise NotFound
    return dict(row)
