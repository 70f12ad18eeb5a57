"""PostgreSQL: the engine, the one transaction at the edge, and the base of every table."""

import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import DateTime, MetaData, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.orm import DeclarativeBase, Session

from citizen_cloud.config import Settings
from citizen_cloud.db.connections import connect_one, refuse_outdated, refuse_stale
from citizen_cloud.db.keeping import SharingPool, connection_at_hand, let_go
from citizen_cloud.db.statements import first_row, for_driver, on_one_line, rows_changed

__all__ = [
    "APP_ROLE",
    "TIMEOUTS",
    "Base",
    "Database",
    "PooledDatabase",
    "connect",
    "first_row",
    "for_driver",
    "install",
    "new_id",
    "on_one_line",
    "options",
    "rows_changed",
    "statement",
    "transaction",
]

APP_ROLE = "citizen_cloud_app"
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
            poolclass=SharingPool,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=False,
            pool_use_lifo=True,
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            connect_args={"options": options(role), "connect_timeout": 5, "prepare_threshold": 2},
        )
        event.listen(self.base, "do_connect", connect_one)
        event.listen(self.base, "checkout", refuse_stale)
        event.listen(self.base, "handle_error", refuse_outdated)
        self.engine = self.base.execution_options(isolation_level="READ COMMITTED")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Open a session that commits when the block ends well."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def statement(self) -> AbstractContextManager[Connection]:
        """Open an autocommit connection, for a service that is one statement."""
        return connection_at_hand(self.base)

    def dispose(self) -> None:
        """Close every connection that nobody is using."""
        let_go(self.base)
        self.engine.dispose()


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
