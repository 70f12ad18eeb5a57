"""A small city for booking tests: an outlet, citizens, slots, and callers who start at once."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from citizen_cloud.booking import auditor, services
from citizen_cloud.booking.rules import Quota
from citizen_cloud.db import PooledDatabase, new_id
from citizen_cloud.errors import Refusal
from citizen_cloud.text import Text

CALLERS = 24
SWEEP = """
    DELETE FROM booking.ledger; DELETE FROM booking.booking; DELETE FROM booking.allowance;
    DELETE FROM booking.slot_text; DELETE FROM booking.slot; DELETE FROM audit.entry;
    DELETE FROM jobs.outbox; DELETE FROM accounts.account; DELETE FROM accounts.person;
    DELETE FROM organisations.organisation;
"""


@dataclass(frozen=True)
class Citizen:
    person_id: UUID
    person_key: bytes
    account_id: UUID

    @property
    def actor(self) -> services.Actor:
        return services.Actor(kind="account", id=self.account_id)


class World:
    """Everything is created through the application's own role and verbs."""

    def __init__(self, database: PooledDatabase, owner: Engine | None = None) -> None:
        self.database = database
        self.owner = owner
        self.begin()

    def begin(self) -> None:
        """Start with an empty city; a database of the test's own is empty already."""
        if self.owner is not None:
            with self.owner.connect() as connection:
                connection.exec_driver_sql(SWEEP)
        with self.database.transaction() as session:
            self.organisation_id = session.scalar(
                text(
                    "INSERT INTO organisations.organisation "
                    "(kind, code, name, address, county, town, tokens) "
                    "VALUES ('pharmacy', '5901', '{}', '人民路1号', '信义区', '台北市', '{}') "
                    "RETURNING id"
                )
            )

    def citizens(self, count: int) -> list[Citizen]:
        with self.database.transaction() as session:
            rows = session.execute(
                text(
                    """
                    WITH p AS (
                        INSERT INTO accounts.person (document_type, document_sealed,
                            document_index, name_sealed, person_key, verified_by, verified_at)
                        SELECT 'resident_id', '', uuid_send(uuidv7()), '', uuid_send(uuidv7()),
                               'test', now() FROM generate_series(1, :count)
                        RETURNING id, person_key
                    )
                    INSERT INTO accounts.account (kind, person_id) SELECT 'citizen', id FROM p
                    RETURNING person_id, (SELECT person_key FROM p WHERE p.id = person_id), id
                    """
                ),
                {"count": count},
            ).all()
        return [Citizen(row[0], bytes(row[1]), row[2]) for row in rows]

    def citizen(self) -> Citizen:
        return self.citizens(1)[0]

    def slot(self, capacity: int = 1, **changes: Any) -> UUID:
        return self.slots(1, capacity, **changes)[0]

    def slots(self, count: int, capacity: int = 1, **changes: Any) -> list[UUID]:
        now = datetime.now(UTC)
        facts = {
            "module": "masks",
            "organisation_id": self.organisation_id,
            "starts_at": now + timedelta(days=1),
            "ends_at": now + timedelta(days=1, hours=4),
            "opens_at": now - timedelta(days=1),
            "closes_at": now + timedelta(days=1),
            "capacity": capacity,
            "title": Text("成人口罩", "Masks for adults"),
            "place": Text("人民路药店", "Renmin Road Pharmacy"),
            **changes,
        }
        new = [services.NewSlot(id=new_id(), **facts) for _ in range(count)]
        with self.database.transaction() as session:
            services.publish_slots(session, slots=new)
        return [slot.id for slot in new]

    def book(
        self, citizen: Citizen, slot_id: UUID, now: datetime | None = None, **changes: Any
    ) -> services.Booked:
        with self.database.statement() as connection:
            return services.book(connection, order=order(citizen, slot_id, **changes), now=now)

    def hold(
        self,
        citizen: Citizen,
        slot_id: UUID,
        *,
        minutes: int = 5,
        now: datetime | None = None,
        **changes: Any,
    ) -> services.Booked:
        with self.database.statement() as connection:
            return services.hold(
                connection,
                order=order(citizen, slot_id, **changes),
                hold_for=timedelta(minutes=minutes),
                now=now,
            )

    def do(self, verb: Callable[..., Any], **facts: Any) -> Any:
        """Run one verb in a transaction of its own, as a route does."""
        with self.database.transaction() as session:
            return verb(session, **facts)

    def status(self, booking_id: UUID) -> str:
        return str(self.value("SELECT status FROM booking.booking WHERE id = :id", id=booking_id))

    def taken(self, slot_id: UUID) -> int:
        return int(self.value("SELECT taken FROM booking.slot WHERE id = :id", id=slot_id))

    def used(self, citizen: Citizen) -> int:
        return int(
            self.value(
                "SELECT coalesce(sum(used), 0) FROM booking.allowance WHERE person_key = :key",
                key=citizen.person_key,
            )
        )

    def value(self, sql: str, **values: Any) -> Any:
        with self.database.statement() as connection:
            return connection.scalar(text(sql), values)

    def differences(self) -> list[auditor.Difference]:
        with self.database.statement() as connection:
            return auditor.differences(connection)

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """Collect what is sent to the database meanwhile."""
        sent: list[str] = []

        def note(*facts: Any) -> None:
            sent.append(facts[2])

        event.listen(self.database.base, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(self.database.base, "before_cursor_execute", note)


def order(citizen: Citizen, slot_id: UUID, **changes: Any) -> services.Order:
    """Return an order with a key of its own, or the one given as ``key``."""
    key = changes.pop("key", None) or str(new_id())
    facts = {
        "slot_id": slot_id,
        "person_id": citizen.person_id,
        "person_key": citizen.person_key,
        "booked_by": citizen.account_id,
        "quantity": 1,
        "request_key": key,
        "request_hash": hashlib.sha256(str(slot_id).encode()).digest(),
        **changes,
    }
    return services.Order(**facts)


def rolling(days: int = 7, day: date = date(2020, 2, 16), most: int = 1) -> Quota:
    return Quota(scope="masks:adult", period="rolling", max=most, day=day, rolling_days=days)


def weekly(week: str = "2020-W08", most: int = 1) -> Quota:
    return Quota(scope="masks:adult", period=week, max=most, day=date(2020, 2, 18))


def at_once(calls: Sequence[Callable[[], Any]], *, callers: int = CALLERS) -> list[Any]:
    """Let threads start at the same instant and work the calls off; return results or refusals."""
    barrier = threading.Barrier(min(callers, len(calls)))
    waiting = iter(enumerate(calls))
    results: list[Any] = [None] * len(calls)
    lock = threading.Lock()

    def work() -> None:
        barrier.wait()
        while True:
            with lock:
                number, call = next(waiting, (None, None))
            if call is None or number is None:
                return
            try:
                results[number] = call()
            except Exception as error:  # noqa: BLE001 - what came out is the result
                results[number] = error

    with ThreadPoolExecutor(barrier.parties) as pool:
        for future in [pool.submit(work) for _ in range(barrier.parties)]:
            future.result()
    return results


def outcomes(results: Sequence[Any]) -> Counter[str]:
    """Count what came out: ``booked``, ``replayed``, or the code of a refusal."""
    return Counter(outcome(result) for result in results)


def outcome(result: Any) -> str:
    if isinstance(result, Refusal):
        return result.code
    if isinstance(result, Exception):
        return repr(result)
    if isinstance(result, services.Booked):
        return "replayed" if result.replayed else "booked"
    if isinstance(result, services.Changed):
        return "changed" if result.changed else "unchanged"
    return str(result)


class Interleaving:
    """Two sessions whose statements run in a chosen order, each waiting for its turn.

    A statement that blocks on the other's lock is left waiting, as a database does; the order
    goes on, and what was blocked ends when the lock is free.
    """

    BLOCKED_AFTER_S = 0.04

    def __init__(self, database: PooledDatabase) -> None:
        self.database = database

    def run(
        self, turns: str, a: Callable[[Session], Any], b: Callable[[Session], Any]
    ) -> tuple[Any, Any]:
        self._turns, self._position = turns, 0
        self._moved = threading.Condition()
        results: dict[str, Any] = {}

        def play(name: str, verb: Callable[[Session], Any]) -> None:
            try:
                with self.database.engine.connect() as connection:
                    event.listen(connection, "before_cursor_execute", lambda *_: self._turn(name))
                    event.listen(connection, "after_cursor_execute", lambda *_: self._done())
                    with Session(connection, expire_on_commit=False) as session, session.begin():
                        results[name] = verb(session)
                        self._turn(name)
                    self._done()
            except Exception as error:  # noqa: BLE001 - what came out is the result
                results[name] = error
                self._done()
            finally:
                self._leave(name)

        threads = [
            threading.Thread(target=play, args=pair, daemon=True) for pair in (("a", a), ("b", b))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        return results.get("a"), results.get("b")

    def _turn(self, name: str) -> None:
        """Wait until it is this one's turn; a turn whose owner is blocked is passed on."""
        with self._moved:
            while self._position < len(self._turns) and self._turns[self._position] != name:
                stood = self._position
                if not self._moved.wait(self.BLOCKED_AFTER_S) and self._position == stood:
                    self._position += 1
            self._running = name

    def _done(self) -> None:
        with self._moved:
            self._position += 1
            self._moved.notify_all()

    def _leave(self, name: str) -> None:
        with self._moved:
            rest = self._turns[self._position :].replace(name, "")
            self._turns = self._turns[: self._position] + rest
            self._moved.notify_all()


def interleavings(a: int, b: int) -> list[str]:
    """Return every order of ``a`` turns of one and ``b`` turns of the other."""
    if not a or not b:
        return ["a" * a + "b" * b]
    return [
        *("a" + rest for rest in interleavings(a - 1, b)),
        *("b" + rest for rest in interleavings(a, b - 1)),
    ]


def wait_until(claim: Callable[[], bool], *, seconds: float = 5) -> None:
    ends = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < ends, "did not happen in time"
        time.sleep(0.01)
