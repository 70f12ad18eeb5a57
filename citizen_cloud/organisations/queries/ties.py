"""Who let whom in lately: whoever handed a code out may have kept it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

# Long enough for a colleague to notice an account nobody knows, or one shut by a reset.
WAIT = timedelta(days=7)
_TIED = text(
    """
    WITH let_in AS (
        SELECT i.account_id AS who, i.invited_by AS by
          FROM organisations.invitation i
         WHERE i.account_id = ANY(:both) AND i.accepted_at > :since
         UNION ALL
        SELECT r.account_id, giver.id
          FROM accounts.reset r, unnest(ARRAY[r.asked_by, r.confirmed_by]) AS giver(id)
         WHERE r.account_id = ANY(:both) AND r.used_at > :since)
    SELECT EXISTS (SELECT 1 FROM let_in WHERE by = ANY(:both))
        OR EXISTS (SELECT 1 FROM let_in GROUP BY by
                    HAVING by IS NOT NULL AND count(DISTINCT who) > 1)
    """
)


def are_tied(session: Session, one: UUID, other: UUID, *, now: datetime) -> bool:
    """Return whether one of two accounts may be the other, or both a third person's.

    Within a week: one let the other in, by an invitation or a reset, or the same person let both
    in. Whoever invites staff could otherwise be two people at a counter.
    """
    asked = {"both": [one, other], "since": now - WAIT}
    return bool(session.scalar(_TIED, asked))
