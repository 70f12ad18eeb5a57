"""Put a message into an inbox, and send texts outside any transaction."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.accounts.identity import phone_place
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound
from citizen_cloud.messages import senders
from citizen_cloud.messages.senders import PermanentFailure, SenderFailure, SmsText
from citizen_cloud.text import Text

BATCH = 20
SMS_LIFE = timedelta(hours=12)
# How long a claimed text waits before another worker may try it: longer than any sender waits.
CLAIM = timedelta(seconds=60)
MOST_ATTEMPTS = 8

log = structlog.get_logger(__name__)


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


_MESSAGE = text(
    """
    INSERT INTO messages.message
           (account_id, kind, title, body, subject_type, subject_id, dedupe_key)
    VALUES (:account_id, :kind, cast(:title AS jsonb), cast(:body AS jsonb),
            :subject_type, :subject_id, :dedupe_key)
    ON CONFLICT (dedupe_key) DO NOTHING
    """
)
_DELIVERY = text(
    """
    INSERT INTO messages.delivery (id, channel, kind, secret, dedupe_key, expires_at)
    VALUES (:id, 'sms', :kind, :secret, :dedupe_key, :expires_at)
    ON CONFLICT (dedupe_key) DO NOTHING
    """
)


def notify(session: Session, *, note: Note, now: datetime) -> bool:
    """Put a note into the inbox, and a text on its way where asked; False if it was there."""
    result = session.execute(
        _MESSAGE,
        {
            "account_id": note.account_id,
            "kind": note.kind,
            "title": _json(note.title),
            "body": _json(note.body),
            "subject_type": note.subject_type,
            "subject_id": note.subject_id,
            "dedupe_key": note.dedupe_key,
        },
    )
    is_new: bool = result.rowcount == 1  # type: ignore[attr-defined]
    if is_new and note.sms:
        _text_account(session, note, now)
    return is_new


def _json(words: Text) -> str:
    return json.dumps(words.as_json(), ensure_ascii=False)


def _text_account(session: Session, note: Note, now: datetime) -> None:
    row = session.execute(
        text("SELECT phone_sealed, language FROM accounts.account WHERE id = :id"),
        {"id": note.account_id},
    ).one()
    if row.phone_sealed is None:
        return
    phone = crypto.current().open(row.phone_sealed, place=phone_place(note.account_id))
    words = note.body.in_language(row.language)
    expires_at = now + SMS_LIFE
    queue_text(
        session, phone=phone, words=words, kind=note.kind, key=note.dedupe_key, until=expires_at
    )


def queue_text(
    session: Session, *, phone: str, words: str, kind: str, key: str, until: datetime
) -> None:
    """Put a text on its way, its phone and words sealed until it is over."""
    delivery_id = new_id()
    secret = json.dumps({"to": phone, "text": words}, ensure_ascii=False)
    session.execute(
        _DELIVERY,
        {
            "id": delivery_id,
            "kind": kind,
            "secret": crypto.current().seal(secret, place=_place(delivery_id)),
            "dedupe_key": key,
            "expires_at": until,
        },
    )


def _place(delivery_id: UUID) -> str:
    return f"messages.delivery:secret:{delivery_id}"


_CLAIM = text(
    """
    UPDATE messages.delivery d
       SET due_at = statement_timestamp() + :claim, attempts = attempts + 1
     WHERE d.id IN (SELECT id FROM messages.delivery
                     WHERE status = 'pending' AND due_at <= statement_timestamp()
                     ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING d.id, d.kind, d.secret, d.dedupe_key, d.attempts,
              d.expires_at <= statement_timestamp() AS is_expired
    """
)
_OVER = text(
    "UPDATE messages.delivery SET status = :status, secret = NULL, error = :error, "
    "sent_at = CASE WHEN :status = 'sent' THEN statement_timestamp() END WHERE id = :id"
)
_LATER = text(
    "UPDATE messages.delivery SET error = :error, due_at = statement_timestamp() + :wait "
    "WHERE id = :id"
)


def deliver_due(now: datetime) -> int:
    """Send the texts that are due; return how many were taken up.

    A text is claimed in one transaction, sent outside any, and settled in another: a slow
    gateway holds no lock. At least once: the gateway tells repeats apart by the dedupe id.
    """
    del now
    with db.transaction() as session:
        rows = session.execute(_CLAIM, {"claim": CLAIM, "most": BATCH}).mappings().all()
    for row in rows:
        _deliver(row)
    return len(rows)


def _deliver(row: RowMapping) -> None:
    if row["is_expired"] or row["attempts"] > MOST_ATTEMPTS:
        _settle(row, "expired" if row["is_expired"] else "failed", None)
        return
    opened = json.loads(crypto.current().open(row["secret"], place=_place(row["id"])))
    sms = SmsText(to=opened["to"], text=opened["text"], dedupe_id=row["dedupe_key"])
    try:
        senders.current().send(sms)
    except PermanentFailure as error:
        _settle(row, "failed", error.reason)
    except SenderFailure as error:
        log.warning("sms_put_off", kind=row["kind"], attempts=row["attempts"], reason=error.reason)
        wait = timedelta(seconds=min(2 ** row["attempts"], 300))
        with db.transaction() as session:
            session.execute(_LATER, {"id": row["id"], "error": error.reason, "wait": wait})
    else:
        _settle(row, "sent", None)


def _settle(row: RowMapping, status: str, error: str | None) -> None:
    with db.transaction() as session:
        session.execute(_OVER, {"id": row["id"], "status": status, "error": error})


_INBOX = text(
    """
    SELECT m.id, m.kind, m.title, m.body, m.subject_type, m.subject_id, m.created_at, m.read_at,
           (SELECT count(*) FROM messages.message u
             WHERE u.account_id = :account_id AND u.read_at IS NULL) AS unread
      FROM messages.message m
     WHERE m.account_id = :account_id AND (NOT :only_unread OR m.read_at IS NULL)
       AND (cast(:before AS uuid) IS NULL OR m.id < :before)
     ORDER BY m.id DESC LIMIT :limit
    """
)


def inbox(
    session: Session, *, account_id: UUID, only_unread: bool, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Return messages, newest first, behind a cursor."""
    facts = {"account_id": account_id, "only_unread": only_unread, "before": before, "limit": limit}
    return [dict(row) for row in session.execute(_INBOX, facts).mappings()]


_READ = text(
    """
    UPDATE messages.message SET read_at = coalesce(read_at, statement_timestamp())
     WHERE id = :id AND account_id = :account_id
    RETURNING id, kind, title, body, subject_type, subject_id, created_at, read_at
    """
)


def mark_read(session: Session, *, account_id: UUID, message_id: UUID) -> dict[str, Any]:
    """Mark a message of one's own as read; again changes nothing. Raises ``NotFound``."""
    row = session.execute(_READ, {"id": message_id, "account_id": account_id}).mappings().first()
    if row is None:
        raise NotFound
    return dict(row)
