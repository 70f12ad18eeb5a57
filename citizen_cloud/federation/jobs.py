"""Scheduled work of the federation room."""

from datetime import datetime

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.db import rows_changed

# Removed links hold no subject any more; they are kept as long as sign-ins are.
KEEP_DAYS = 183
_FORGET = (
    text("DELETE FROM federation.attempt WHERE expires_at < :now"),
    text("DELETE FROM federation.identity WHERE removed_at < :now - make_interval(days => :days)"),
)


def forget_attempts(now: datetime) -> int:
    """Delete attempts that are over and links removed half a year ago; return how many."""
    with db.transaction() as session:
        asked = {"now": now, "days": KEEP_DAYS}
        return sum(rows_changed(session, each, asked) for each in _FORGET)
