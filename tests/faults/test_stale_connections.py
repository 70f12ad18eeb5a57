"""A pooled connection that ended while it lay idle costs no request anything."""

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from citizen_cloud.db import PooledDatabase, refuse_stale

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


def test_without_the_check_the_first_requests_fail(fresh_database, pool):
    event.remove(pool.engine, "checkout", refuse_stale)
    warm(pool, 4)
    dismiss_everybody(fresh_database)
    with pytest.raises(OperationalError):
        ask(pool)


def test_the_check_asks_the_server_nothing(fresh_database, pool):
    ask(pool)
    seen = []
    event.listen(pool.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
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
