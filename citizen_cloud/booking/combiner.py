"""The door for bookings: one by one for most slots, together where everybody wants the same.

On a hot slot each transaction waits for the commit before it. So requests gather while that
commit runs, without a timer, and the next transaction books them all. A request that meets
nobody is booked at once and pays nothing. Waiting requests hold no database connection.
The database stays the only truth: losing this process loses no answer that was given.
"""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
from uuid import UUID

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.booking.hot_slots import hot_slots
from citizen_cloud.booking.queries import BookingRow
from citizen_cloud.booking.services.batch import book_together
from citizen_cloud.booking.services.taking import Booked, Order
from citizen_cloud.booking.services.taking import book as book_singly
from citizen_cloud.errors import Unavailable

MOST = 256
PATIENCE_S = 15.0


@dataclass(slots=True, eq=False)
class _Seat:
    """One waiting request: its answer when there is one, or the call to lead."""

    order: Order
    called: Event = field(default_factory=Event)
    row: BookingRow | None = None
    leads: bool = False


class Combiner:
    """Gathers the requests of hot slots in one process."""

    def __init__(
        self,
        *,
        statement: Callable[[], AbstractContextManager[Connection]],
        transaction: Callable[[], AbstractContextManager[Session]],
    ) -> None:
        self._statement = statement
        self._transaction = transaction
        self._lock = Lock()
        # A slot is in here while somebody leads it.
        self._waiting: dict[UUID, deque[_Seat]] = {}

    def book(self, *, order: Order, now: datetime | None = None) -> Booked:
        """Book as ``services.book`` does, with the same answers and refusals.

        Raises ``Unavailable`` when the turn did not come in time; asking again with the same
        key is safe and finds the booking if there is one.
        """
        if now is not None or order.slot_id not in hot_slots:
            return self._singly(order, now)
        seat = _Seat(order)
        with self._lock:
            queue = self._waiting.get(order.slot_id)
            if queue is None:
                self._waiting[order.slot_id] = deque()
                seat.leads = True
            else:
                queue.append(seat)
        if not seat.leads:
            self._wait(seat)
        booked = self._lead(seat) if seat.leads else None
        if seat.row is not None:
            return Booked(seat.row, replayed=False)
        return booked or self._singly(order, now)

    def _singly(self, order: Order, now: datetime | None) -> Booked:
        with self._statement() as connection:
            return book_singly(connection, order=order, now=now)

    def _wait(self, seat: _Seat) -> None:
        """Wait for the answer or the lead. A waiter that is stopped leaves no queue leaderless."""
        try:
            called = seat.called.wait(PATIENCE_S)
        except BaseException:
            if not self._left(seat) and seat.leads:
                self._pass_on(seat.order.slot_id)
            raise
        if called:
            return
        if self._left(seat):
            raise Unavailable(retry_after=1)
        seat.called.wait(PATIENCE_S)

    def _left(self, seat: _Seat) -> bool:
        """Leave the queue; return False when a leader took this request up already."""
        with self._lock:
            queue = self._waiting.get(seat.order.slot_id, deque())
            if seat not in queue:
                return False
            queue.remove(seat)
            return True

    def _lead(self, seat: _Seat) -> Booked | None:
        """Book one batch, call its members, and pass the lead on whatever happened.

        Nobody else there: the single statement, while the next ones gather.
        """
        batch, apart = self._gather(seat)
        try:
            if len(batch) == 1:
                return self._singly(seat.order, None)
            self._book(batch)
            return None
        finally:
            for member in (*batch, *apart):
                member.called.set()
            self._pass_on(seat.order.slot_id)

    def _gather(self, seat: _Seat) -> tuple[list[_Seat], list[_Seat]]:
        """Take who waits: one per person and key under the leader's quota, the others apart.

        Those are called after the batch, so that a retry finds what it repeats.
        """
        batch: list[_Seat] = [seat]
        apart: list[_Seat] = []
        persons, keys = {seat.order.person_id}, {seat.order.request_key}
        with self._lock:
            queue = self._waiting[seat.order.slot_id]
            for _ in range(min(len(queue), MOST - 1)):
                other = queue.popleft()
                if _is_apart(other.order, seat.order, persons, keys):
                    apart.append(other)
                    continue
                persons.add(other.order.person_id)
                keys.add(other.order.request_key)
                batch.append(other)
        return batch, apart

    def _book(self, batch: list[_Seat]) -> None:
        try:
            with self._transaction() as session:
                rows = book_together(session, orders=[member.order for member in batch])
        except DBAPIError:
            # Undone as a whole, or unknown: each member asks on its own, with its own key.
            return
        for member in batch:
            member.row = rows.get(member.order.request_key)

    def _pass_on(self, slot_id: UUID) -> None:
        with self._lock:
            queue = self._waiting[slot_id]
            if not queue:
                del self._waiting[slot_id]
                return
            heir = queue.popleft()
            heir.leads = True
        heir.called.set()


def _is_apart(order: Order, leader: Order, persons: set[UUID], keys: set[str]) -> bool:
    """Return whether an order must be booked on its own."""
    return (
        order.person_id in persons
        or order.request_key in keys
        or order.quota != leader.quota
        or (order.quota is not None and order.quantity > order.quota.max)
    )


_combiner = Combiner(statement=db.statement, transaction=db.transaction)


def book(*, order: Order, now: datetime | None = None) -> Booked:
    """Book from a route or command, which need not open anything: see ``services.book``."""
    return _combiner.book(order=order, now=now)
