"""Texts on their way out: queued with the business, claimed, settled. Sending is no part of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import phone_place
from citizen_cloud.crypto import Undecryptable
from citizen_cloud.db import new_id
from citizen_cloud.messages.senders import SmsText

# How long a claimed text is left to the worker that claimed it; jobs.py sends within this.
CLAIM = timedelta(seconds=60)
LONGEST_WAIT_S = 300

_QUEUE = text(
    """
    INSERT INTO messages.delivery (id, channel, kind, secret, dedupe_key, expires_at)
    VALUES (:id, 'sms', :kind, :secret, :dedupe_key, :expires_at)
    ON CONFLICT (dedupe_key) DO NOTHING
    """
)
# What is over first goes first: a one-time code never waits behind a thousand reminders.
# MATERIALIZED is the limit: a subquery in a join may run once a row, and take more each time.
_CLAIM = text(
    """
    WITH first AS MATERIALIZED (
        SELECT id FROM messages.delivery
         WHERE status = 'pending' AND due_at <= statement_timestamp()
         ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)
    UPDATE messages.delivery d
       SET due_at = statement_timestamp() + :claim, attempts = attempts + 1
      FROM first
     WHERE d.id = first.id
    RETURNING d.id, d.kind, d.secret, d.dedupe_key, d.attempts,
              d.expires_at <= statement_timestamp() AS is_expired
    """
)
_OVER = text(
    """
    UPDATE messages.delivery d
       SET status = n.status, secret = NULL, error = n.error,
           sent_at = CASE WHEN n.status = 'sent' THEN statement_timestamp() END
      FROM unnest(cast(:ids AS uuid[]), cast(:statuses AS text[]), cast(:errors AS text[]))
           AS n (id, status, error)
     WHERE d.id = n.id AND d.status = 'pending'
    """
)
_LATER = text(
    """
    UPDATE messages.delivery d
       SET error = n.error, due_at = statement_timestamp() + make_interval(secs => n.seconds)
      FROM unnest(cast(:ids AS uuid[]), cast(:errors AS text[]), cast(:seconds AS integer[]))
           AS n (id, error, seconds)
     WHERE d.id = n.id AND d.status = 'pending'
    """
)


@dataclass(frozen=True, kw_only=True)
class Due:
    """A claimed text; ``sms`` is empty where its key was taken away and it opens no more."""

    id: UUID
    kind: str
    attempts: int
    is_expired: bool
    sms: SmsText | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one attempt; ``later`` tries again until the text expires."""

    status: Literal["sent", "failed", "expired", "later"]
    error: str | None = None


def queue_text(
    session: Session, *, phone: str, words: str, kind: str, key: str, until: datetime
) -> None:
    """Put a text on its way, its phone and words sealed until it is over.

    The same ``key`` twice is one text; the gateway gets it too, to drop a repeat.
    """
    delivery_id = new_id()
    secret = json.dumps({"to": phone, "text": words}, ensure_ascii=False)
    session.execute(
        _QUEUE,
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


def claim_due(session: Session, *, most: int) -> list[Due]:
    """Take texts that are due for a minute; no other worker gets them meanwhile."""
    rows = session.execute(_CLAIM, {"claim": CLAIM, "most": most}).mappings()
    return [
        Due(
            id=row["id"],
            kind=row["kind"],
            attempts=row["attempts"],
            is_expired=row["is_expired"],
            sms=_opened(row),
        )
        for row in rows
    ]


def _opened(row: RowMapping) -> SmsText | None:
    try:
        opened = json.loads(crypto.current().open(row["secret"], place=_place(row["id"])))
    except Undecryptable:
        return None
    return SmsText(to=opened["to"], text=opened["text"], dedupe_id=row["dedupe_key"])


def settle(session: Session, outcomes: Sequence[tuple[Due, Outcome]]) -> None:
    """Write down outcomes; phone and words are blanked unless it is tried again.

    What another worker settled meanwhile stays as it is.
    """
    over = [one for one in outcomes if one[1].status != "later"]
    later = [one for one in outcomes if one[1].status == "later"]
    if over:
        session.execute(
            _OVER, {**_columns(over), "statuses": [outcome.status for _, outcome in over]}
        )
    if later:
        # Twice the pause each time, up to five minutes, until the text is over.
        seconds = [min(2 ** min(due.attempts, 16), LONGEST_WAIT_S) for due, _ in later]
        session.execute(_LATER, {**_columns(later), "seconds": seconds})


def _columns(outcomes: Sequence[tuple[Due, Outcome]]) -> dict[str, list[Any]]:
    return {
        "ids": [due.id for due, _ in outcomes],
        "errors": [outcome.error for _, outcome in outcomes],
    }


# A phone may serve two accounts: what the other one's inbox says is the other one's.
_WAITING = text(
    """
    SELECT d.id, d.secret FROM messages.delivery d
     WHERE d.secret IS NOT NULL
       AND NOT EXISTS (SELECT FROM messages.message m
                        WHERE m.dedupe_key = d.dedupe_key AND m.account_id <> :id)
    """
)
_PHONE = text("SELECT phone_sealed FROM accounts.account WHERE id = :id")


def phone_of(session: Session, account_id: UUID | None) -> str | None:
    """Return the number an account's texts go to."""
    sealed = session.scalar(_PHONE, {"id": account_id})
    if sealed is None or account_id is None:
        return None
    return crypto.current().open(sealed, place=phone_place(account_id))


def waiting_for(session: Session, account_id: UUID | None) -> list[UUID]:
    """Return the texts on their way to an account's phone, whatever they are about.

    Opens what waits, which is little at any time: codes live five minutes, texts half a day.
    """
    phone = phone_of(session, account_id)
    found = []
    for row in session.execute(_WAITING, {"id": account_id}) if phone is not None else ():
        try:
            opened = json.loads(crypto.current().open(row.secret, place=_place(row.id)))
        except Undecryptable:
            continue
        if opened["to"] == phone:
            found.append(row.id)
    return found
