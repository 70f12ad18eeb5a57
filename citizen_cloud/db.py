"""PostgreSQL: the engine, the one transaction at the edge, and the base of every table."""

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from functools import lru_cache
from select import POLLIN
from typing import Any, Protocol
from uuid import UUID

import psycopg
from gevent import Timeout, get_hub
from gevent.monkey import get_original, is_module_patched
from psycopg.pq import ConnStatus
from sqlalchemy import DateTime, MetaData, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, Session

from citizen_cloud.config import Settings

APP_ROLE = "citizen_cloud_app"
# The kernel's own poll: with no time to wait there is nothing for gevent to take over.
_poll = get_original("select", "poll")
# Longer than any time-out of the server's own: past it the server itself does not live.
PATIENCE_S = 18.0
# What one caller may hold up: shorter than any proxy's patience, longer than any honest statement.
TIMEOUTS = {
    "lock_timeout": "4s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "20s",
}


class Base(DeclarativeBase):
    """Declarative base: one metadata, stable constraint names, aware instants only."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own spelling
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        dict[str, str]: JSONB,
    }


class Database(Protocol):
    """Where statements go; tests install one that rolls everything back."""

    def transaction(self) -> AbstractContextManager[Session]:
        """Open a session that commits when the block ends well."""
        ...

    def statement(self) -> AbstractContextManager[Connection]:
        """Open an autocommit connection, for a service that is one statement."""
        ...


class PooledDatabase:
    """The real one: a pool per process. Waiting for a connection is bounded as well."""

    def __init__(self, url: str, *, pool_size: int, role: str | None = APP_ROLE) -> None:
        # Born in autocommit: what runs at every request is one statement, and a connection made
        # anew under way is what the one it replaces was.
        self.base: Engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=False,
            pool_use_lifo=True,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            connect_args={"options": options(role), "connect_timeout": 5, "prepare_threshold": 2},
        )
        event.listen(self.base, "do_connect", _connect)
        event.listen(self.base, "checkout", refuse_stale)
        self.engine = self.base.execution_options(isolation_level="READ COMMITTED")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session that commits when the block ends well."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """Open an autocommit connection, for a service that is one statement."""
        with self.base.connect() as connection:
            yield connection

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def refuse_stale(connection: Any, _record: object, _proxy: object) -> None:
    """Let the pool replace a connection that ended while it lay there; asks the kernel only.

    An idle PostgreSQL connection has nothing to say: bytes to read, or its end, mean that the
    server has gone, restarted or dismissed us. So no request pays for a restart that is over, and
    none pays a round trip to find out. Raises ``DisconnectionError``, which the pool handles.
    """
    held = connection.pgconn
    if held.status == ConnStatus.OK:
        poller = _poll()
        poller.register(held.socket, POLLIN)
        if not poller.poll(0):
            return
    raise DisconnectionError


class CooperativeConnection(psycopg.Connection[Any]):
    """psycopg under gevent, waiting on the event loop itself.

    What psycopg does by itself there, a patched ``poll()`` around each wait, costs some 50 µs of
    CPU a statement more.
    """

    def wait(self, gen: Any, interval: float = 0.0, timeout: float | None = None) -> Any:
        """Run one of psycopg's generators, letting other greenlets run while PostgreSQL works.

        Raises ``OperationalError`` and closes the connection when the server says nothing for
        ``PATIENCE_S``: a stopped process or a cut cable obeys no ``statement_timeout``.
        """
        if timeout is not None:
            return super().wait(gen, interval or 0.1, timeout)
        try:
            wanted = next(gen)
        except StopIteration as done:
            # A local setting, as when a connection becomes autocommit: nothing to wait for.
            return done.value
        silence = psycopg.OperationalError("the server does not answer")
        try:
            with Timeout(PATIENCE_S, silence):
                return self._run(gen, wanted)
        except psycopg.OperationalError as error:
            if error is silence:
                self.pgconn.finish()
            raise

    def _run(self, gen: Any, wanted: Any) -> Any:
        hub = get_hub()
        try:
            while True:
                # psycopg's read and write are libev's.
                watcher = hub.loop.io(self.pgconn.socket, int(wanted))
                try:
                    hub.wait(watcher)
                finally:
                    watcher.close()
                wanted = gen.send(wanted)
        except StopIteration as done:
            return done.value


def _connect(_dialect: object, _record: object, words: Any, named: Any) -> psycopg.Connection[Any]:
    """Open a connection of the kind this process needs; gevent patches before it imports us."""
    kind = CooperativeConnection if is_module_patched("select") else psycopg.Connection
    return kind.connect(*words, **named)


def first_row(connection: Connection | Session, sql: str, values: Mapping[str, Any]) -> Any | None:
    """Run a prepared statement of a ``statement()`` connection; return its first row as a tuple.

    For the few statements that run at every request: SQLAlchemy's events and errors, without its
    result, whose description of the columns costs more than running them. In a transaction an
    error ends it, as anywhere.
    """
    if isinstance(connection, Session):
        connection = connection.connection()
    try:
        opened = connection.connection.cursor()
    except psycopg.Error as error:
        # Lost since the last statement; raises SQLAlchemy's error, which says so.
        connection._handle_dbapi_exception(error, sql, values, None, None)  # noqa: SLF001
    with closing(opened) as cursor:
        connection._cursor_execute(cursor, on_one_line(sql), values)  # noqa: SLF001
        return cursor.fetchone()


def for_driver(sql: str) -> str:
    """Return a ``text()`` statement with the driver's placeholders, for ``first_row``."""
    return re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", sql)


@lru_cache(maxsize=64)
def on_one_line(sql: str) -> str:
    """Return a statement without its layout; no literal of it may hold a run of blanks.

    psycopg remembers how it took a statement apart only up to 4,096 characters: the statement
    that books is longer as written, and a tenth of a booking's time went there.
    """
    return " ".join(sql.split())


def options(role: str | None) -> str:
    """Return libpq's ``options``: time-outs, UTC, and the role that owns nothing."""
    settings = {**TIMEOUTS, "timezone": "UTC", **({"role": role} if role else {})}
    return " ".join(f"-c {name}={value}" for name, value in settings.items())


_installed: list[Database] = []


def install(database: Database) -> Database:
    """Make a database the process's own; the last one installed serves."""
    _installed[:] = [database]
    return database


def connect(settings: Settings) -> PooledDatabase:
    """Open the application's pool and install it."""
    database = PooledDatabase(settings.database_url, pool_size=settings.pool_size)
    install(database)
    return database


def transaction() -> AbstractContextManager[Session]:
    """Open the one transaction of a request, job or command; only the edge calls this."""
    return _installed[0].transaction()


def statement() -> AbstractContextManager[Connection]:
    """Open an autocommit connection for a service that is one statement; edge only."""
    return _installed[0].statement()


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): ids sort by time, which keeps index inserts at one end.

    An id is a name, never a secret.
    """
    stamp = time.time_ns() // 1_000_000
    value = (stamp & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
