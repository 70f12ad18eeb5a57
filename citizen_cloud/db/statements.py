"""Run a statement past what it costs to describe its result, or ask only how much it changed."""

import re
from collections.abc import Mapping
from contextlib import closing
from functools import lru_cache
from typing import Any

import psycopg
from sqlalchemy import Executable
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session


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


def rows_changed(
    connection: Connection | Session, statement: Executable, values: Mapping[str, Any] | None = None
) -> int:
    """Run an INSERT, UPDATE or DELETE; return how many rows it wrote."""
    # SQLAlchemy's type says Result for every statement; what writes gives a CursorResult.
    return int(connection.execute(statement, values).rowcount)  # type: ignore[attr-defined]
