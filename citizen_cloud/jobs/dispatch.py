"""Hand outbox events to their handlers, each event in a savepoint of its own."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.jobs.services import secret_place
from citizen_cloud.manifest import Event, Handler

BATCH = 50
MOST_ATTEMPTS = 12
LONGEST_WAIT = timedelta(minutes=30)

log = structlog.get_logger(__name__)

_DUE = text(
    """
    SELECT id, event, payload, secret, created_at, attempts,
           expires_at <= statement_timestamp() AS is_expired,
           statement_timestamp() AS now
      FROM jobs.outbox
     WHERE done_at IS NULL AND due_at <= statement_timestamp()
     ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
_DONE = text(
    "UPDATE jobs.outbox SET done_at = statement_timestamp(), outcome = :outcome, secret = NULL, "
    "error = :error, attempts = attempts + 1 WHERE id = :id"
)
_LATER = text(
    "UPDATE jobs.outbox SET attempts = attempts + 1, error = :error, due_at = :due_at "
    "WHERE id = :id"
)


def dispatch(handlers: Mapping[str, Sequence[Handler]]) -> int:
    """Handle one batch of due events; return how many were taken up.

    At least once: a crash between handler and commit repeats the event, so handlers are
    idempotent. A handler that raises is tried again with growing pauses and does not hold up
    the events behind it.
    """
    with db.transaction() as session:
        rows = session.execute(_DUE, {"most": BATCH}).mappings().all()
        for row in rows:
            _handle(session, row, handlers.get(row["event"], ()))
    return len(rows)


def _handle(session: Session, row: RowMapping, handlers: Sequence[Handler]) -> None:
    if row["is_expired"]:
        session.execute(_DONE, {"id": row["id"], "outcome": "expired", "error": None})
        return
    try:
        with session.begin_nested():
            for handler in handlers:
                handler(session, _event(row), row["now"])
    except Exception as error:  # noqa: BLE001 - a stranger's handler may raise anything
        _put_off(session, row, error)
    else:
        session.execute(_DONE, {"id": row["id"], "outcome": "delivered", "error": None})


def _put_off(session: Session, row: RowMapping, error: Exception) -> None:
    """Note the error's type only: its words may hold a phone."""
    attempts = row["attempts"] + 1
    facts = {"id": row["id"], "error": type(error).__name__}
    log.warning("handler_failed", event_name=row["event"], attempts=attempts, **facts)
    if attempts >= MOST_ATTEMPTS:
        session.execute(_DONE, {**facts, "outcome": "failed"})
        return
    wait = min(timedelta(seconds=2**attempts), LONGEST_WAIT)
    session.execute(_LATER, {**facts, "due_at": row["now"] + wait})


def _event(row: RowMapping) -> Event:
    secret = None
    if row["secret"] is not None:
        opened = crypto.current().open(row["secret"], place=secret_place(row["id"]))
        secret = json.loads(opened)
    return Event(
        id=row["id"],
        name=row["event"],
        payload=row["payload"],
        secret=secret,
        created_at=row["created_at"],
    )
