"""A link ended: what the phones of whoever acted by it still show of the person ends as well."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.credentials import services as credentials
from citizen_cloud.credentials.services.issuing import PHONE, THIN
from citizen_cloud.modules.health_code.services import shares

_ACCOUNTS = text("SELECT id FROM accounts.account WHERE person_id = :id AND status <> 'closed'")
# Another link between the two may have come since.
_STILL_ACTS = text(
    """
    SELECT EXISTS (SELECT FROM families.link
                    WHERE acting_id = :acting_id AND represented_id = :person_id
                      AND status = 'active' AND 'health_code' = ANY(scopes)
                      AND (expires_at IS NULL OR expires_at > statement_timestamp()))
    """
)


def end_given(
    session: Session, *, acting_id: UUID, person_id: UUID, now: datetime | None = None
) -> None:
    """End the person's codes on the phones of whoever acted, and what he shared of them."""
    if session.scalar(_STILL_ACTS, {"acting_id": acting_id, "person_id": person_id}):
        return
    for account_id in session.scalars(_ACCOUNTS, {"id": acting_id}).all():
        credentials.revoke_held_by(
            session, account_id=account_id, holders=[person_id], types=(PHONE, THIN), now=now
        )
        shares.revoke_between(session, account_id=account_id, person_id=person_id, now=now)
