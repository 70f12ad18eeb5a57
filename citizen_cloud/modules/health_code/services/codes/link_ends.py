"""A link ended: what the phones of whoever acted by it still show of the person ends as well."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.credentials import services as credentials
from citizen_cloud.credentials.services.issuing import PHONE
from citizen_cloud.modules.health_code.services.codes import shares

# Another link between the two may have come since.
_ENDED = text(
    """
    SELECT l.represented_id AS person_id, a.id AS account_id
      FROM families.link l
      JOIN accounts.account a ON a.person_id = l.acting_id AND a.status <> 'closed'
     WHERE l.id = :link_id AND l.represented_id IS NOT NULL AND NOT EXISTS (
           SELECT FROM families.link o
            WHERE o.acting_id = l.acting_id AND o.represented_id = l.represented_id
              AND o.status = 'active' AND 'health_code' = ANY(o.scopes)
              AND (o.expires_at IS NULL OR o.expires_at > statement_timestamp()))
    """
)


def end_given(session: Session, *, link_id: UUID, now: datetime | None = None) -> None:
    """End the person's codes on the phones of whoever acted, and what he shared of them.

    A link that is gone went with one of the two, and their codes with it.
    """
    for found in session.execute(_ENDED, {"link_id": link_id}).all():
        between = {"account_id": found.account_id, "now": now}
        credentials.revoke_held_by(session, holders=[found.person_id], types=(PHONE,), **between)
        shares.revoke_between(session, person_id=found.person_id, **between)
