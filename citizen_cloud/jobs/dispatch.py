"""Hand outbox events to their handlers, lane by lane; what raises is undone and holds up nobody."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.jobs.rules import LANES, Lane
from citizen_cloud.jobs.services import secret_place
from citizen_cloud.manifest import Alone, Event, Handler, Together

BATCH = 100
# A batch is one transaction: what was handled counts when it ends, so slow handlers end it early.
PATIENCE_S = 1.0
MOST_ATTEMPTS = 12
LONGEST_WAIT = timedelta(minutes=30)
# What each loop of a worker serves. Something urgent finds one that waits for nothing slower, and
# the last one serves everybody.
LOOPS: Mapping[str, tuple[Lane, ...]] = {
    "jobs.dispatch_urgent": ("urgent",),
    "jobs.dispatch_prompt": ("urgent", "prompt"),
    "jobs.dispatch": LANES,
}

log = structlog.get_logger(__name__)

_WAITING = text(
    """
    SELECT l.lane FROM unnest(cast(:lanes AS text[])) AS l(lane)
     WHERE EXISTS (SELECT FROM jobs.outbox o
                    WHERE o.lane = l.lane AND o.done_at IS NULL
                      AND o.due_at <= statement_timestamp())
    """
)
_DUE = text(
    """
    SELECT id, event, payload, secret, created_at, attempts,
           expires_at <= statement_timestamp() AS is_expired,
           statement_timestamp() AS now
      FROM jobs.outbox
     WHERE lane = :lane AND done_at IS NULL AND due_at <= statement_timestamp()
     ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
_DONE = text(
    "UPDATE jobs.outbox SET done_at = statement_timestamp(), outcome = :outcome, secret = NULL, "
    "error = :error, attempts = attempts + 1 WHERE id = ANY(:ids)"
)
_LATER = text(
    "UPDATE jobs.outbox SET attempts = attempts + 1, error = :error, due_at = :due_at "
    "WHERE id = :id"
)

Handlers = Mapping[str, Sequence[Handler]]


def dispatch(handlers: Handlers, lanes: Sequence[Lane] = LANES) -> int:
    """Handle one batch of every lane with something due; return how many events were taken up.

    Urgent before prompt before bulk, each batch in a transaction of its own: a rush in one lane
    neither holds up the lanes before it nor starves those behind it. At least once: a crash
    between handler and commit repeats the event, so handlers are idempotent. A handler that
    raises is tried again with growing pauses, in its lane, behind the others.
    """
    with db.statement() as connection:
        waiting = set(connection.scalars(_WAITING, {"lanes": list(lanes)}))
    return sum(_batch(handlers, lane) for lane in lanes if lane in waiting)


def _batch(handlers: Handlers, lane: Lane, most: int = BATCH) -> int:
    patience_ends = time.monotonic() + PATIENCE_S
    delivered: list[UUID] = []
    with db.transaction() as session:
        rows = session.execute(_DUE, {"lane": lane, "most": most}).mappings().all()
        is_first_alone = bool(rows) and _is_alone(rows[0], handlers)
        expired = [row["id"] for row in rows if row["is_expired"]]
        taken = len(expired)
        if not is_first_alone or most == 1:
            _end(session, expired, outcome="expired")
            for some in _runs([row for row in rows if not row["is_expired"]], handlers):
                if _is_alone(some[0], handlers) and most > 1:
                    break
                delivered += _handle(session, some, handlers.get(some[0]["event"], ()))
                taken += len(some)
                if time.monotonic() >= patience_ends:
                    break
            _end(session, delivered, outcome="delivered")
    # Whatever else was found is free for the other loops while this one is busy.
    return _batch(handlers, lane, 1) if is_first_alone and most > 1 else taken


def _is_alone(row: RowMapping, handlers: Handlers) -> bool:
    """Return whether an event gets a transaction of its own; it waits while it is not the first."""
    if row["is_expired"]:
        return False
    return any(isinstance(one, Alone) for one in handlers.get(row["event"], ()))


def _runs(rows: Sequence[RowMapping], handlers: Handlers) -> Iterator[list[RowMapping]]:
    """Return events in their order, those that follow each other and go together as one."""
    for name, found in groupby(rows, lambda row: row["event"]):
        some = list(found)
        if all(isinstance(one, Together) for one in handlers.get(name, ())):
            yield some
        else:
            yield from ([row] for row in some)


def _handle(
    session: Session, rows: Sequence[RowMapping], handlers: Sequence[Handler]
) -> list[UUID]:
    """Handle events in one savepoint, in halves where that raises; return who was delivered."""
    try:
        with session.begin_nested():
            _hand_over(session, rows, handlers)
    except Exception as error:  # noqa: BLE001 - a stranger's handler may raise anything
        if len(rows) == 1:
            _put_off(session, rows[0], error)
            return []
        half = len(rows) // 2
        return [
            *_handle(session, rows[:half], handlers),
            *_handle(session, rows[half:], handlers),
        ]
    return [row["id"] for row in rows]


def _hand_over(session: Session, rows: Sequence[RowMapping], handlers: Sequence[Handler]) -> None:
    now = rows[0]["now"]
    events = [_event(row) for row in rows] if handlers else []
    for handler in handlers:
        if isinstance(handler, Together):
            handler.handle_all(session, events, now)
        else:
            for event in events:
                handler(session, event, now)


def _end(session: Session, ids: Sequence[UUID], *, outcome: str, error: str | None = None) -> None:
    if ids:
        session.execute(_DONE, {"ids": list(ids), "outcome": outcome, "error": error})


def _put_off(session: Session, row: RowMapping, error: Exception) -> None:
    """Note the error's type only: its words may hold a phone."""
    attempts = row["attempts"] + 1
    facts = {"id": row["id"], "error": type(error).__name__}
    log.warning("handler_failed", event_name=row["event"], attempts=attempts, **facts)
    if attempts >= MOST_ATTEMPTS:
        _end(session, [row["id"]], outcome="failed", error=facts["error"])
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
