"""Scheduled work of the approvals room."""

from datetime import datetime

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.approvals import services
from citizen_cloud.db import rows_changed

# After that the audit trail and the digest say what was decided; about whom is forgotten.
KEEP_DAYS = 180
_FORGET = (
    text(
        """
        UPDATE approvals.decision d SET note_sealed = NULL FROM approvals.proposal p
         WHERE p.id = d.proposal_id AND d.note_sealed IS NOT NULL
           AND p.ended_at < :now - make_interval(days => :days)
        """
    ),
    text(
        """
        UPDATE approvals.proposal SET payload_sealed = NULL
         WHERE payload_sealed IS NOT NULL AND ended_at < :now - make_interval(days => :days)
        """
    ),
)


def expire(now: datetime) -> int:
    """End what nobody decided in time; return how many."""
    del now
    with db.transaction() as session:
        return services.expire_open(session)


def forget(now: datetime) -> int:
    """Blank what long ended proposals were about; return how many."""
    asked = {"now": now, "days": KEEP_DAYS}
    with db.transaction() as session:
        counts = [rows_changed(session, each, asked) for each in _FORGET]
    return int(counts[-1])
