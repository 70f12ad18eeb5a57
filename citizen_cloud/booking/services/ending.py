"""Forget the bookings of a service that has come to its end; say who still counts on one."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed

_SLOTS = "SELECT s.id FROM booking.slot s WHERE s.module = :module"
_AHEAD = text(
    """
    SELECT count(*) FROM booking.booking b JOIN booking.slot s ON s.id = b.slot_id
     WHERE s.module = :module AND b.status IN ('held', 'booked', 'arrived')
       AND s.ends_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
    """
)
# What was used of a quota is found by the bookings that used it: first of all.
_OF_QUOTAS = """
    SELECT a.ctid FROM booking.allowance a
     WHERE a.scope IN (SELECT b.scope FROM booking.booking b WHERE b.slot_id IN ({slots}))
"""
_OF_SLOTS = "SELECT x.ctid FROM {table} x WHERE x.{key} IN ({slots})"
# In the order in which nothing points at what goes.
_FORGET = {
    table: text(
        f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            {found.format(table=table, key=key, slots=_SLOTS)} LIMIT :most))
        """  # noqa: S608 - one of five names
    )
    for table, key, found in (
        ("booking.allowance", "", _OF_QUOTAS),
        ("booking.ledger", "slot_id", _OF_SLOTS),
        ("booking.booking", "slot_id", _OF_SLOTS),
        ("booking.slot_text", "slot_id", _OF_SLOTS),
        ("booking.slot", "id", _OF_SLOTS),
    )
}


def bookings_ahead(
    session: Session | Connection, *, module: str, now: datetime | None = None
) -> int:
    """Return how many places somebody holds in a service whose time has not passed."""
    return session.scalar(_AHEAD, {"module": module, "now": now}) or 0


def forget_module(session: Session, *, module: str, most: int) -> Mapping[str, int]:
    """Delete so many rows of one table at a time; nothing where nothing of the service is left."""
    for table, statement in _FORGET.items():
        gone = rows_changed(session, statement, {"module": module, "most": most})
        if gone:
            return {table: gone}
    return {}
