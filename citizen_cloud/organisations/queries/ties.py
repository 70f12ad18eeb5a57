"""Who let whom in lately: whoever handed a code out may have kept it."""

from collections.abc import Collection
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
         WHERE (i.account_id = ANY(:own) OR i.account_id = ANY(:others)) AND i.accepted_at > :since
         UNION ALL
        SELECT r.account_id, giver.id
          FROM accounts.reset r, unnest(ARRAY[r.asked_by, r.confirmed_by]) AS giver(id)
         WHERE (r.account_id = ANY(:own) OR r.account_id = ANY(:others)) AND r.used_at > :since),
    giver AS (
        SELECT l.who, l.by AS id FROM let_in l WHERE l.by IS NOT NULL
         UNION
        SELECT l.who, b.person_id FROM let_in l JOIN accounts.binding b ON b.account_id = l.by
         WHERE b.person_id IS NOT NULL)
    SELECT EXISTS (SELECT FROM let_in
                    WHERE (who = ANY(:own) AND by = ANY(:others))
                       OR (who = ANY(:others) AND by = ANY(:own)))
        OR EXISTS (SELECT FROM giver a JOIN giver b ON b.id = a.id
                    WHERE a.who = ANY(:own) AND b.who = ANY(:others))
    """
)


def are_tied(
    session: Session, own: Collection[UUID], others: Collection[UUID], *, now: datetime
) -> bool:
    """Return whether one of some accounts may be one of others, or both a third person's.

    Within a week: one let the other in, by an invitation or a reset, or the same person let both
    in, with whichever of his accounts. Whoever invites staff could otherwise be two people at a
    counter.
    """
    asked = {"own": list(own), "others": list(others), "since": now - WAIT}
    return bool(own and others and session.scalar(_TIED, asked))
