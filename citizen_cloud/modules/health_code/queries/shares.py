"""Reads of shares, for whoever made them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from citizen_cloud.errors import NotFound

_SHARE = text(
    """
    SELECT id, expires_at, used_at,
           CASE WHEN used_at IS NOT NULL THEN 'used'
                WHEN revoked_at IS NOT NULL THEN 'revoked'
                WHEN expires_at <= coalesce(cast(:now AS timestamptz), statement_timestamp())
                THEN 'expired' ELSE 'open' END AS status
      FROM health_code.share WHERE id = :id AND account_id = :account_id
    """
)


def share_of(
    connection: Connection, *, share_id: UUID, account_id: UUID, now: datetime | None = None
) -> dict[str, Any]:
    """Return what became of a share somebody made. Raises ``NotFound`` for anybody else's."""
    facts = {"id": share_id, "account_id": account_id, "now": now}
    row = connection.execute(_SHARE, facts).mappings().first()
    if row is None:
        raise NotFound
    return dict(row)
