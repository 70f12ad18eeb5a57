"""Pooled connections: stale ones cost nothing, waiting ones let others run."""

import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import ExitStack

import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH
from sqlalchemy import event, text
from sqlalchemy.exc import DataError, NotSupportedError, OperationalError

from citizen_cloud.booking.statement import BOOK, BOOK_RATIONED
from citizen_cloud.db import PooledDatabase, first_row, on_one_line
from citizen_cloud.db.connections import refuse_stale
from citizen_cloud.modules.health_code.queries import thin
from citizen_cloud.modules.health_code.services.codes import at_once

KILL = """
SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = :role
"""
LOGIN = "citizen_cloud_app"


@pytest.fixture
def pool(fresh_database):
    return fresh_database.database


def warm(pool, count):
    """Hold several connections at once, so that as many lie in the pool afterwards."""
    held = [pool.engine.connect() for _ in range(count)]
    for connection in held:
        connection.execute(text("SELECT 1"))
        connection.close()


def dismiss_everybody(fresh_database):
    with fresh_database.owner() as connection:
        connection.execute(text("SET ROLE citizen_cloud_app"))
        ended = connection.execute(text(KILL), {"role": LOGIN}).scalars().all()
    assert ended
    assert all(ended)


def ask(pool):
    with pool.statement() as connection:
        return connection.scalar(text("SELECT 1"))


def test_no_request_fails_on_connections_that_ended_in_the_pool(fresh_database, pool):
    warm(pool, 8)
    dismiss_everybody(fresh_database)
    assert [ask(pool) for _ in range(20)] == [1] * 20


def test_transactions_too_begin_on_a_living_connection(fresh_database, pool):
    warm(pool, 4)
    dismiss_everybody(fresh_database)
    for _ in range(8):
        with pool.transaction() as session:
            assert session.scalar(text("SELECT 1")) == 1


def test_a_replaced_connection_keeps_what_a_statement_wrote(fresh_database, pool):
    warm(pool, 4)
    with pool.statement() as connection:
        connection.execute(text("SELECT 1"))
        dismiss_everybody(fresh_database)
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))
        connection.rollback()
        connection.execute(text("INSERT INTO registry.module (name, state) VALUES ('kept', 'off')"))
    with fresh_database.owner() as connection:
        asked = text("SELECT count(*) FROM registry.module WHERE name = 'kept'")
        assert connection.scalar(asked) == 1


def test_a_transaction_that_fails_leaves_nothing(fresh_database, pool):
    with pytest.raises(ZeroDivisionError), pool.transaction() as session:
        session.execute(text("INSERT INTO registry.module (name, state) VALUES ('gone', 'off')"))
        raise ZeroDivisionError
    with pool.transaction() as session:
        asked = text("SELECT count(*) FROM registry.module WHERE name = 'gone'")
        assert session.scalar(asked) == 0


def test_without_the_check_the_first_requests_fail(fresh_database, pool):
    event.remove(pool.base, "checkout", refuse_stale)
    warm(pool, 4)
    dismiss_everybody(fresh_database)
    with pytest.raises(OperationalError):
        ask(pool)


def test_the_check_asks_the_server_nothing(fresh_database, pool):
    ask(pool)
    seen = []
    event.listen(pool.base, "before_cursor_execute", lambda *args: seen.append(args[2]))
    ask(pool)
    assert seen == ["SELECT 1"]
    with fresh_database.owner() as connection:
        asked = text(
            "SELECT query FROM pg_stat_activity WHERE usename = :role "
            "AND datname = current_database() AND state = 'idle'"
        )
        assert connection.scalars(asked, {"role": LOGIN}).all() == ["SELECT 1"]


def test_a_pool_of_living_connections_keeps_them(fresh_database):
    pool = PooledDatabase(fresh_database.url, pool_size=1)
    try:
        backends = set()
        for _ in range(5):
            with pool.statement() as connection:
                backends.add(connection.scalar(text("SELECT pg_backend_pid()")))
        assert len(backends) == 1
    finally:
        pool.dispose()


def test_the_short_way_to_a_row_shows_itself_and_translates_errors(pool):
    seen = []
    event.listen(pool.base, "before_cursor_execute", lambda *args: seen.append(args[2]))
    with pool.statement() as connection:
        sql = "SELECT %(n)s::int, NULL"
        assert first_row(connection, sql, {"n": 7}) == (7, None)
        assert first_row(connection, "SELECT 1 WHERE false", {}) is None
        with pytest.raises(DataError):
            first_row(connection, "SELECT 1 / %(n)s::int", {"n": 0})
        assert first_row(connection, sql, {"n": 8}) == (8, None)
    assert sql in seen


def test_the_hot_statements_are_short_enough_for_psycopg_to_remember():
    for sql in (BOOK, BOOK_RATIONED, at_once._GIVE_PHONE, thin._SHOWABLE):
        assert len(on_one_line(sql)) <= MAX_CACHED_STATEMENT_LENGTH


def test_the_short_way_notices_a_lost_connection(fresh_database, pool):
    with pool.statement() as connection:
        first_row(connection, "SELECT 1", {})
        dismiss_everybody(fresh_database)
        with pytest.raises(OperationalError) as caught:
            first_row(connection, "SELECT 1", {})
        assert caught.value.connection_invalidated
    assert ask(pool) == 1


UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import sys, time
import gevent
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from citizen_cloud.booking.statement import BOOK, BOOK_RATIONED
from citizen_cloud.db import PooledDatabase, connections, first_row
from citizen_cloud.db.connections import CooperativeConnection

pool = PooledDatabase(sys.argv[1], pool_size=4)

def ask(sql):
    with pool.statement() as connection:
        kind = type(connection.connection.driver_connection)
        assert kind is CooperativeConnection, kind
        return first_row(connection, sql, {})

began = time.monotonic()
jobs = [gevent.spawn(ask, "SELECT pg_sleep(0.5)") for _ in range(4)]
gevent.joinall(jobs, raise_error=True)
assert time.monotonic() - began < 1.2, "waiting for PostgreSQL held up the others"

with gevent.Timeout(0.2, False):
    ask("SELECT pg_sleep(5)")
    raise AssertionError("the timer did not ring")
assert [ask("SELECT %d" % n) for n in range(8)] == [(n,) for n in range(8)], "a stale answer"

with pool.transaction() as session:
    wide = session.scalar(text("SELECT repeat('x', 20000000)"))
    assert len(wide) == 20000000
    assert session.scalar(text("SELECT length(:wide)"), {"wide": wide}) == 20000000

def killed():
    try:
        ask("SELECT pg_sleep(5)")
    except OperationalError as error:
        return error.connection_invalidated

victim = gevent.spawn(killed)
gevent.sleep(0.3)
ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
    "WHERE query = 'SELECT pg_sleep(5)'")
assert victim.get(timeout=3) is True

connections.PATIENCE_S = 0.3
began = time.monotonic()
assert gevent.spawn(killed).get(timeout=3) is True, "a silent server is waited for"
assert time.monotonic() - began < 1
assert ask("SELECT 1") == (1,)
print("fine")
"""


def test_under_gevent_a_waiting_statement_lets_others_run(fresh_database):
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT, fresh_database.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "fine\n", done.stderr[-2000:]


def number_of(connection):
    return connection.scalar(text("SELECT pg_backend_pid()"))


def test_one_statement_after_another_borrows_nothing_from_the_pool(pool):
    borrowed = []
    event.listen(pool.base, "checkout", lambda *_: borrowed.append(1))
    assert [ask(pool) for _ in range(5)] == [1] * 5
    assert len(borrowed) == 1


def test_what_is_at_hand_is_there_for_whoever_needs_a_connection(fresh_database):
    pool = PooledDatabase(fresh_database.settings.database_url, pool_size=3)
    with pool.statement() as one, pool.statement() as two:
        assert number_of(one) != number_of(two)
    assert len(pool.base.pool.at_hand) == 2
    with ExitStack() as held:
        numbers = {number_of(held.enter_context(pool.transaction())) for _ in range(3)}
    assert len(numbers) == 3
    pool.dispose()


def test_whoever_waits_for_a_connection_is_given_the_next_one(fresh_database):
    pool = PooledDatabase(fresh_database.settings.database_url, pool_size=2)
    seen = []

    def wait():
        with pool.transaction() as session:
            seen.append(number_of(session))

    with pool.transaction() as session:
        number_of(session)
        with pool.statement() as connection:
            number = number_of(connection)
            waiter = threading.Thread(target=wait)
            waiter.start()
            while not pool.base.pool.waiting:
                time.sleep(0.01)
        waiter.join(timeout=4)
    assert seen == [number]
    pool.dispose()


def test_a_connection_at_hand_that_ended_or_failed_is_not_used_again(fresh_database, pool):
    assert ask(pool) == 1
    dismiss_everybody(fresh_database)
    assert ask(pool) == 1
    with pytest.raises(DataError), pool.statement() as connection:
        connection.execute(text("SELECT 1 / 0"))
    assert not pool.base.pool.at_hand
    with pool.statement() as connection:
        dismiss_everybody(fresh_database)
        with pytest.raises(OperationalError):
            number_of(connection)
    assert not pool.base.pool.at_hand
    assert ask(pool) == 1


def test_nobody_waits_while_a_connection_is_laid_aside(fresh_database, monkeypatch):
    """Between the look at the pool and the laying aside, others take what the pool still had."""
    pool = PooledDatabase(fresh_database.settings.database_url, pool_size=2)
    kept = pool.base.pool.at_hand
    waiter, held, got = None, ExitStack(), []

    def last_one_goes(connection):
        nonlocal waiter
        monkeypatch.setattr(pool.base.pool, "at_hand", kept)
        number_of(held.enter_context(pool.transaction()))
        waiter = threading.Thread(target=lambda: got.append(ask(pool)))
        waiter.start()
        while waiter.is_alive() and not pool.base.pool._pool.not_empty._waiters:
            time.sleep(0.01)
        kept.append(connection)

    class Watched(deque):
        append = staticmethod(last_one_goes)

    with ExitStack() as both:
        number_of(both.enter_context(pool.transaction()))
        with pool.statement() as connection:
            number_of(connection)
            both.close()
            monkeypatch.setattr(pool.base.pool, "at_hand", Watched())
    waiter.join(2)
    while_held = list(got)
    held.close()
    waiter.join()
    pool.dispose()
    assert while_held == [1]


def test_a_migration_under_way_costs_one_answer_and_no_worker(fresh_database):
    """What was prepared before a column changed its type is refused for as long as it is kept."""
    pool = PooledDatabase(fresh_database.settings.database_url, pool_size=3)
    with fresh_database.owner() as owner:
        owner.execute(text("CREATE TABLE registry.probe AS SELECT 1::int4 AS n"))
        owner.execute(text("GRANT SELECT ON registry.probe TO citizen_cloud_app"))
        owner.commit()
    sql = "SELECT n FROM registry.probe"
    with ExitStack() as held:
        for _ in range(3):
            connection = held.enter_context(pool.statement())
            for _ in range(4):
                first_row(connection, sql, {})
    with fresh_database.owner() as owner:
        owner.execute(text("ALTER TABLE registry.probe ALTER COLUMN n TYPE int8"))
        owner.commit()
    with pytest.raises(NotSupportedError) as caught, pool.statement() as connection:
        first_row(connection, sql, {})
    # Which the gate answers with 503: come again.
    assert caught.value.connection_invalidated
    with ExitStack() as held:
        for _ in range(3):
            assert first_row(held.enter_context(pool.statement()), sql, {}) == (1,)
    pool.dispose()
