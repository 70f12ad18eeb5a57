"""Connections kept at hand for requests that are one statement.

Through the pool, each of them spends more time on borrowing and giving back than PostgreSQL does
on its answer. So a connection that worked stays open beside the pool, as it is, for the next one.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from citizen_cloud.db.connections import refuse_stale


class SharingPool(QueuePool):
    """A pool that counts what is kept at hand as its own, and takes it back for whoever needs it.

    So the number of connections stays what it is set to, and nobody waits for an idle one.
    """

    def __init__(self, *words: object, **named: object) -> None:
        super().__init__(*words, **named)  # type: ignore[arg-type]
        self.at_hand: deque[Connection] = deque()
        # One entry for each borrower who is not served yet: a deque needs no lock.
        self.waiting: deque[None] = deque()

    def _do_get(self) -> ConnectionPoolEntry:
        # Said before looking: who gives one back afterwards sees that somebody waits.
        self.waiting.append(None)
        try:
            is_spent = not self.checkedin() and self.overflow() >= 0
            if is_spent and (idle := self.pop()) is not None:
                idle.close()
            return super()._do_get()
        finally:
            self.waiting.pop()

    def pop(self) -> Connection | None:
        """Return the connection used last, or None."""
        try:
            return self.at_hand.pop()
        except IndexError:
            return None


@contextmanager
def connection_at_hand(engine: Engine) -> Iterator[Connection]:
    """Lend an autocommit connection; it is kept afterwards if it worked and nobody needs it more.

    After an error, the caller's own too, it goes through the pool, which looks after it.
    """
    pool = cast("SharingPool", engine.pool)
    connection = _living(pool) or engine.connect()
    try:
        yield connection
        if connection.in_transaction():
            # SQLAlchemy's own notion: in autocommit there is nothing to undo, nor a round trip.
            connection.rollback()
    except BaseException:
        is_lost = connection.invalidated
        connection.close()
        if is_lost:
            # The others are as old: the pool looks at each before it lends it again.
            let_go(engine)
        raise
    if connection.invalidated or connection.closed:
        connection.close()
        return
    pool.at_hand.append(connection)
    # Only then: who found nothing here before waits for what comes into the pool.
    if pool.waiting and (idle := pool.pop()) is not None:
        idle.close()


def let_go(engine: Engine) -> None:
    """Give the pool everything that is kept beside it."""
    pool = cast("SharingPool", engine.pool)
    while (idle := pool.pop()) is not None:
        idle.close()


def _living(pool: SharingPool) -> Connection | None:
    """Return a connection that did not end while it lay there."""
    while (connection := pool.pop()) is not None:
        try:
            refuse_stale(connection.connection.dbapi_connection, None, None)
        except DisconnectionError:
            connection.invalidate()
            connection.close()
        else:
            return connection
    return None
