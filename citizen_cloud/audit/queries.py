"""What auditors read."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_ENTRIES = text(
    """
    SELECT e.id, s.number, e.at, e.actor_kind, e.actor_id, e.action, e.object_type, e.object_id,
           e.organisation_id, coalesce(e.payload, '{}'::jsonb) AS payload,
           e.salt IS NULL AS redacted
      FROM audit.entry e LEFT JOIN audit.seal s ON s.entry_id = e.id
     WHERE (cast(:action AS text) IS NULL OR e.action = :action)
       AND (cast(:object_id AS uuid) IS NULL OR e.object_id = :object_id)
       AND (cast(:on AS date) IS NULL OR (e.at AT TIME ZONE 'Asia/Shanghai')::date = :on)
       AND (cast(:before AS uuid) IS NULL OR e.id < :before)
     ORDER BY e.id DESC LIMIT :limit
    """
)


def entries(
    session: Session,
    *,
    action: str | None,
    object_id: UUID | None,
    on: date | None,
    before: UUID | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return entries, newest first, behind a cursor."""
    rows = session.execute(
        _ENTRIES,
        {"action": action, "object_id": object_id, "on": on, "before": before, "limit": limit},
    )
    return [dict(row) for row in rows.mappings()]
