"""Scheduled work of the organisations room."""

from datetime import datetime

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.db import rows_changed

# An accepted one tells who let whom in; the others hold names that nobody needs any more.
_FORGET = text(
    """
    DELETE FROM organisations.invitation
     WHERE accepted_at IS NULL AND expires_at < :now - interval '30 days'
    """
)


def forget_invitations(now: datetime) -> int:
    """Delete invitations that nobody accepted in time; return how many."""
    with db.transaction() as session:
        return rows_changed(session, _FORGET, {"now": now})
