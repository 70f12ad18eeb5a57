"""Give places: book and hold, each one statement in autocommit, then a second look."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from citizen_cloud.booking.hot_slots import hot_slots
from citizen_cloud.booking.queries import BookingRow
from citizen_cloud.booking.refusals import SlotFull
from citizen_cloud.booking.rules import REFERENCE_BYTES, Quota, new_reference
from citizen_cloud.booking.services import second_look
from citizen_cloud.booking.statement import BOOK, BOOK_RATIONED
from citizen_cloud.db import first_row, new_id

TRIES: Final = 4
SALT_BYTES: Final = 16
LONGEST_PAUSE_MS: Final = 40
_QUOTA_CHECK: Final = "ck_allowance_within_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants: so many places in one slot, for one person.

    ``request_key`` makes it happen once per ``booked_by``; ``payload`` joins the event and the
    audit entry and holds nothing personal.
    """

    slot_id: UUID
    person_id: UUID
    person_key: bytes | None
    booked_by: UUID
    quantity: int
    request_key: str
    request_hash: bytes
    quota: Quota | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    actor_kind: str = "account"


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking that exists; ``replayed`` when an earlier request with this key made it."""

    row: BookingRow
    replayed: bool

    @property
    def booking_id(self) -> UUID:
        """The booking's id."""
        return self.row.id

    @property
    def reference(self) -> str:
        """What the citizen says at the counter."""
        return self.row.reference


class Setback(Enum):
    """Why the statement gave no row, as far as the statement itself can tell."""

    NO_ROW = "no_row"
    LIMIT = "limit"
    DUPLICATE = "duplicate"
    PASSING = "passing"
    LOST = "lost"


_PASSING: Final = (Setback.PASSING, Setback.LOST)


def book(connection: Connection, *, order: Order, now: datetime | None = None) -> Booked:
    """Book, exactly once per request key; return after it is committed.

    One statement where nothing stands in the way. Raises ``SlotFull``, ``SlotClosed``,
    ``NotOpen``, ``LimitReached``, ``AlreadyBooked``, ``IdempotencyKeyReused`` or ``NotFound``.
    """
    return _take(connection, order, None, now)


def hold(
    connection: Connection, *, order: Order, hold_for: timedelta, now: datetime | None = None
) -> Booked:
    """Keep places until they are confirmed, ``hold_for`` long and never beyond the slot's end.

    Counts against the quota from now on. Raises what ``book`` raises.
    """
    return _take(connection, order, hold_for, now)


def _take(
    connection: Connection, order: Order, hold_for: timedelta | None, now: datetime | None
) -> Booked:
    values = parameters(order, hold_for, now)
    sql = BOOK if order.quota is None else BOOK_RATIONED
    for attempt in range(1, TRIES + 1):
        row, setback = _attempt(connection, sql, values, is_last=attempt == TRIES)
        if row is not None:
            if row[-1]:
                hot_slots.note(order.slot_id)
            return Booked(BookingRow._make(row[:-1]), replayed=False)
        if (own := second_look.own_booking(connection, order)) is not None:
            return Booked(own, replayed=True)
        if setback in _PASSING:
            _pause(attempt)
        else:
            second_look.raise_reason(
                connection, order, is_over_limit=setback is Setback.LIMIT, now=now
            )
        values |= {"id": new_id(), "reference": _reference()}
    raise SlotFull(remaining=0)


def _attempt(
    connection: Connection, sql: str, values: dict[str, Any], *, is_last: bool
) -> tuple[Any | None, Setback]:
    try:
        return execute(connection, sql, values), Setback.NO_ROW
    except DBAPIError as error:
        setback = setback_of(error)
        if setback is Setback.LOST:
            _connect_again(connection, error)
        if setback in _PASSING and is_last:
            raise
        return None, setback


def execute(connection: Connection, sql: str, values: dict[str, Any]) -> Any | None:
    """Run a prepared statement; inside a transaction a savepoint keeps its failure apart."""
    if is_autocommit(connection):
        return first_row(connection, sql, values)
    with connection.begin_nested():
        return connection.exec_driver_sql(sql, values).fetchone()


def is_autocommit(connection: Connection) -> bool:
    """Ask the driver, which knows; SQLAlchemy's option says what was once wished for."""
    return bool(connection.connection.driver_connection.autocommit)  # type: ignore[union-attr]


def _connect_again(connection: Connection, error: DBAPIError) -> None:
    """Take a new connection after one was lost; whether that one committed, the key will tell.

    The replacement must be in autocommit as well, or the booking would be acknowledged and rolled
    back (tried: 18 of 200): ``db.statement()`` gives connections that are born so. In a
    transaction the caller's earlier work is lost too, so the error goes up.
    """
    if connection.get_execution_options().get("isolation_level", "AUTOCOMMIT") != "AUTOCOMMIT":
        raise error
    connection.rollback()


def parameters(order: Order, hold_for: timedelta | None, now: datetime | None) -> dict[str, Any]:
    """Return the statement's values for one order, with a fresh id, reference and salt."""
    values: dict[str, Any] = {
        "id": new_id(),
        "slot_id": order.slot_id,
        "person_id": order.person_id,
        "booked_by": order.booked_by,
        "quantity": order.quantity,
        "reference": _reference(),
        "request_key": order.request_key,
        "request_hash": order.request_hash,
        "payload": orjson.dumps(order.payload, default=str).decode() if order.payload else "{}",
        "actor_kind": order.actor_kind,
        "salt": secrets.token_bytes(SALT_BYTES),
        "hold_for": hold_for,
        "now": now,
    }
    quota = order.quota
    if quota is not None:
        values |= {
            "scope": quota.scope,
            "person_key": order.person_key,
            "period": quota.period,
            "max": quota.max,
            "days": quota.rolling_days,
            "window_from": quota.day if quota.rolling_days is not None else None,
        }
    return values


def setback_of(error: DBAPIError) -> Setback:
    """Say what a database error means for a booking; anything unforeseen is raised again."""
    if error.connection_invalidated:
        return Setback.LOST
    state = getattr(error.orig, "sqlstate", None)
    if state in ("40001", "40P01"):
        return Setback.PASSING
    if state == "23505":
        return Setback.DUPLICATE
    diagnostics = getattr(error.orig, "diag", None)
    if state == "23514" and getattr(diagnostics, "constraint_name", "") == _QUOTA_CHECK:
        return Setback.LIMIT
    raise error


def _reference() -> str:
    return new_reference(secrets.token_bytes(REFERENCE_BYTES))


def _pause(attempt: int) -> None:
    """Wait a little, differently for each caller, so that the same two do not meet again."""
    time.sleep(secrets.randbelow(LONGEST_PAUSE_MS * attempt) / 1000)
