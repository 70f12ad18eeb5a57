"""Which types of codes have ended with their service: told to every verifier, kept for ever.

No row names a person or a code, so it outlives the records that a purge destroys. While a service
is in sunset no code of its types counts, whenever it was issued. One that begins again begins at a
whole second, which is waited for: codes say their issue in whole seconds, and none of before and
none of after shares that one.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed

# Held against a switch: whoever calls the sunset off at this instant is waited for.
_END = text(
    """
    INSERT INTO registry.ended_type (type, module)
    SELECT t, m.name FROM registry.module m, unnest(cast(:types AS varchar[])) t
     WHERE m.name = :module AND m.state = 'sunset' FOR SHARE OF m
    ON CONFLICT (type) WHERE begun_at IS NULL DO NOTHING
    """
)
_BEGIN = text(
    """
    UPDATE registry.ended_type
       SET begun_at = date_trunc('second', clock_timestamp()) + interval '1 second'
     WHERE module = :module AND begun_at IS NULL
    RETURNING begun_at
    """
)
_WAIT = text("SELECT pg_sleep_until(:until)")
# A type that ended more than once counts from its last beginning.
_ALL = text(
    """
    SELECT type, CASE WHEN bool_and(begun_at IS NOT NULL) THEN max(begun_at) END AS begun_at
      FROM registry.ended_type GROUP BY type ORDER BY type
    """
)


def is_ended(type: str, issued_at: str, at: str | None = None) -> str:  # noqa: A002
    """Return the condition that a code of a type, issued then, counts no more.

    All are SQL expressions; ``at`` is the instant of a scan that is decided later: what ended
    behind it was good then.
    """
    then = "" if at is None else f" AND z.ended_at <= {at}"
    return f"""EXISTS (SELECT FROM registry.ended_type z WHERE z.type = {type}
                        AND (z.begun_at IS NULL OR {issued_at} < z.begun_at){then})"""


def is_over(type: str) -> str:  # noqa: A002
    """Return the condition that no code of a type counts at present, an SQL expression."""
    return f"""EXISTS (SELECT FROM registry.ended_type z
                       WHERE z.type = {type} AND z.begun_at IS NULL)"""


def end_types(session: Session, *, module: str, types: Collection[str]) -> int:
    """End these types with a module in sunset, those that are not yet; return how many."""
    return rows_changed(session, _END, {"module": module, "types": sorted(types)})


def begin_again(session: Session, *, module: str) -> None:
    """Let codes count that are issued from the next whole second on; return when it has come."""
    begun = session.scalars(_BEGIN, {"module": module}).all()
    if begun:
        session.execute(_WAIT, {"until": max(begun)})


def ended_types(connection: Session | Connection) -> dict[str, datetime | None]:
    """Return since when each type that ended counts again; None while it does not."""
    return {row.type: row.begun_at for row in connection.execute(_ALL)}
