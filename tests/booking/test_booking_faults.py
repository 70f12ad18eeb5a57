"""What passes is tried again with the same key; what is unknown is looked up."""

from typing import Any

import pytest
from booking_world import World, at_once, order, outcomes, rolling
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from citizen_cloud.booking import services
from citizen_cloud.booking.services import taking


class Passing(Exception):
    """A driver's error with a state, as psycopg raises it."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def failing(monkeypatch: pytest.MonkeyPatch, *, times: int, state: str, lost: bool = False) -> None:
    """Let the statement fail some times before it is allowed to run."""
    real, left = taking.execute, iter(range(times))

    def execute(connection: Any, sql: str, values: dict[str, Any]) -> Any:
        if next(left, None) is not None:
            raise DBAPIError(sql, values, Passing(state), connection_invalidated=lost)
        return real(connection, sql, values)

    monkeypatch.setattr(taking, "execute", execute)
    monkeypatch.setattr(taking, "LONGEST_PAUSE_MS", 1)


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_deadlock_or_serialization_failure_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    failing(monkeypatch, times=3, state=state)
    assert not world.book(world.citizen(), world.slot(), quota=rolling()).replayed
    assert world.differences() == []


def test_the_fourth_deadlock_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, times=4, state="40P01")
    slot = world.slot()
    with pytest.raises(DBAPIError):
        world.book(world.citizen(), slot)
    assert world.taken(slot) == 0


@pytest.mark.parametrize("state", ["53300", "57014", "42601", "25006"])
def test_nothing_else_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    failing(monkeypatch, times=1, state=state)
    with pytest.raises(DBAPIError):
        world.book(world.citizen(), world.slot())


def test_a_connection_lost_after_commit_is_answered_by_the_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is swallowed after the commit; the caller gets its booking all the same."""
    real = taking.execute
    swallowed = []

    def execute(connection: Any, sql: str, values: dict[str, Any]) -> Any:
        row = real(connection, sql, values)
        if not swallowed:
            swallowed.append(row)
            connection.connection.driver_connection.close()
            connection.exec_driver_sql("SELECT 1")
        return row

    monkeypatch.setattr(taking, "execute", execute)
    citizen, slot = world.citizen(), world.slot(1)
    booked = world.book(citizen, slot, quota=rolling())
    assert booked.booking_id == swallowed[0][0]
    assert (world.taken(slot), world.used(citizen)) == (1, 1)
    assert world.differences() == []


def test_a_connection_lost_before_the_statement_is_booked_on_a_new_one(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(1)
    with world.database.statement() as connection:
        connection.exec_driver_sql("SELECT 1")
        connection.connection.driver_connection.close()
        booked = services.book(connection, order=order(citizen, slot))
    assert not booked.replayed
    assert world.taken(slot) == 1
    # The pool gets its connection back as it lends them: not in autocommit.
    with world.database.transaction() as session:
        assert not session.connection().connection.driver_connection.autocommit


def test_a_connection_lost_inside_a_transaction_goes_up(world: World) -> None:
    """The caller's own work is gone as well; a booking without it would be half of the whole."""
    citizen, slot = world.citizen(), world.slot(1)

    def book(session: Session) -> None:
        connection = session.connection()
        connection.exec_driver_sql("SELECT 1")
        connection.connection.driver_connection.close()
        services.book(connection, order=order(citizen, slot))

    with pytest.raises(DBAPIError):
        world.do(book)
    assert world.taken(slot) == 0


def test_while_backends_are_killed_every_answer_is_true(world: World, fresh_database: Any) -> None:
    """Acknowledged is stored; whoever got an error and asks again with the key is booked once."""
    slots = world.slots(5, 40)
    orders = [
        order(citizen, slots[number % 5], quota=rolling())
        for number, citizen in enumerate(world.citizens(200))
    ]

    def book(wanted: services.Order) -> services.Booked:
        with world.database.statement() as connection:
            return services.book(connection, order=wanted)

    def kill() -> None:
        with fresh_database.owner() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND state = 'active' LIMIT 3"
            )

    calls: list[Any] = []
    for number, wanted in enumerate(orders):
        calls.append(lambda wanted=wanted: book(wanted))
        if number % 20 == 10:
            calls.append(kill)
    results = [result for result in at_once(calls) if result is not None]
    made = {result.booking_id for result in results if isinstance(result, services.Booked)}
    stored = world.value("SELECT count(*) FROM booking.booking")
    assert len(made) <= stored
    retried = at_once([lambda wanted=wanted: book(wanted) for wanted in orders])
    assert sum(outcomes(retried).values()) == 200
    assert set(outcomes(retried)) <= {"booked", "replayed"}
    assert made <= {result.booking_id for result in retried}
    assert world.value("SELECT count(*) FROM booking.booking") == 200
    assert world.differences() == []
