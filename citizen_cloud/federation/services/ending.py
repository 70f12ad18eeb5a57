"""End every way in through others: whoever may hold them now is not their owner."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.federation.services import identities

_LIVE = text(
    """
    SELECT id FROM federation.identity
     WHERE account_id = :account_id AND removed_at IS NULL ORDER BY id
    """
)
_FORGET_TICKETS = text("DELETE FROM federation.attempt WHERE account_id = :account_id")


def end_links(session: Session, *, account_id: UUID, reason: str, now: datetime) -> int:
    """Remove every identity of an account, and what waits to become one; return how many.

    A sign-in through one of them that is under way is waited for, and ended with the rest.
    """
    found = list(session.scalars(_LIVE, {"account_id": account_id}))
    for identity_id in found:
        identities.remove(
            session, account_id=account_id, identity_id=identity_id, reason=reason, now=now
        )
    session.execute(_FORGET_TICKETS, {"account_id": account_id})
    return len(found)
