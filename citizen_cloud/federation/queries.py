"""What an account shows of its identities elsewhere."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

_OWN = text(
    """
    SELECT id, provider, linked_at, last_used_at FROM federation.identity
     WHERE account_id = :account_id AND removed_at IS NULL
       AND (cast(:id AS uuid) IS NULL OR id = :id)
       AND (cast(:before AS uuid) IS NULL OR id < :before)
     ORDER BY id DESC LIMIT :limit
    """
)


def own_identities(
    session: Session | Connection, *, account_id: UUID, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Return the live ones, latest first."""
    asked = {"account_id": account_id, "id": None, "before": before, "limit": limit}
    return [dict(row) for row in session.execute(_OWN, asked).mappings()]


def own_identity(
    session: Session | Connection, *, account_id: UUID, identity_id: UUID
) -> dict[str, Any] | None:
    """Return a live one of this account; None for anybody else's."""
    asked = {"account_id": account_id, "id": identity_id, "before": None, "limit": 1}
    row = session.execute(_OWN, asked).mappings().first()
    return None if row is None else dict(row)
