"""Leave news in the outbox, in the caller's own transaction."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import new_id, rows_changed
from citizen_cloud.jobs.rules import Lane, lane_of

_INSERT = text(
    """
    INSERT INTO jobs.outbox (id, event, payload, secret, lane, due_at, expires_at)
    VALUES (:id, :event, cast(:payload AS jsonb), :secret, :lane,
            coalesce(:due_at, statement_timestamp()), :expires_at)
    """
)


def announce(
    session: Session | Connection,
    event: str,
    payload: Mapping[str, Any],
    *,
    secret: Mapping[str, Any] | None = None,
    lane: Lane = "prompt",
    due_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> UUID:
    """Write one event; it is handled at least once after the transaction commits.

    ``secret`` is sealed with the field key, and blanked when the event is done or has expired.
    News of one thing that must be handled in order goes in one lane; ``rules.Lane`` says which.
    """
    event_id = new_id()
    session.execute(
        _INSERT,
        {
            "id": event_id,
            "event": event,
            "payload": json.dumps(dict(payload), ensure_ascii=False, default=str),
            "secret": None if secret is None else _sealed(secret, event_id),
            "lane": lane,
            "due_at": due_at,
            "expires_at": expires_at,
        },
    )
    return event_id


_INSERT_ALL = text(
    """
    INSERT INTO jobs.outbox (id, event, payload, secret, lane)
    SELECT n.id, :event, n.payload, n.secret, :lane
      FROM unnest(cast(:ids AS uuid[]), cast(:payloads AS jsonb[]), cast(:secrets AS bytea[]))
           AS n (id, payload, secret)
    """
)


def announce_all(
    session: Session | Connection,
    event: str,
    news: Sequence[tuple[Mapping[str, Any], Mapping[str, Any] | None]],
    *,
    lane: Lane | None = None,
) -> None:
    """Write many events of one name in one statement, each as payload and secret.

    Where no lane is named a few are prompt and many are bulk.
    """
    if news:
        ids = [new_id() for _ in news]
        rows = {
            "payloads": [json.dumps(dict(one), ensure_ascii=False, default=str) for one, _ in news],
            "secrets": [
                None if secret is None else _sealed(secret, event_id)
                for event_id, (_, secret) in zip(ids, news, strict=True)
            ],
        }
        said = {"event": event, "lane": lane or lane_of(len(news))}
        session.execute(_INSERT_ALL, {**said, "ids": ids, **rows})


def _sealed(secret: Mapping[str, Any], event_id: UUID) -> bytes:
    text_form = json.dumps(dict(secret), ensure_ascii=False)
    return crypto.current().seal(text_form, place=secret_place(event_id))


def secret_place(event_id: UUID) -> str:
    """Return the associated data that binds a secret to its outbox row."""
    return f"jobs.outbox:secret:{event_id}"


_WITHDRAW = text(
    """
    UPDATE jobs.outbox SET secret = NULL, expires_at = :now
     WHERE done_at IS NULL AND payload ->> :key = ANY(:values)
    """
)


def withdraw(
    session: Session | Connection, *, key: str, values: Sequence[str], now: datetime
) -> None:
    """Drop events that wait and whose payload names one of these things; secrets go at once."""
    session.execute(_WITHDRAW, {"key": key, "values": list(values), "now": now})


_FORGET = text(
    """
    DELETE FROM jobs.outbox WHERE id = ANY(ARRAY(
        SELECT id FROM jobs.outbox
         WHERE event::text ^@ ANY(cast(:events AS text[]))
            OR event::text ^@ ANY(cast(:shared AS text[])) AND payload ->> 'module' = :module
         LIMIT :most))
    """
)


def forget_events(
    session: Session, *, module: str, events: Sequence[str], shared: Sequence[str], most: int
) -> int:
    """Delete so many of a module's events, handled or not; return how many.

    Those whose name begins so, and of those that all modules share the ones that say its name.
    """
    asked = {"module": module, "events": list(events), "shared": list(shared), "most": most}
    return rows_changed(session, _FORGET, asked)
