"""One person's events, latest first, with what was taken back marked."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

_PAGE = text(
    """
    SELECT e.id, e.kind, e.evidence, e.occurred_at, e.recorded_at, e.payload, e.details_sealed,
           e.source_kind, e.withdraws,
           EXISTS (SELECT FROM health_code.event w WHERE w.withdraws = e.id) AS is_withdrawn
      FROM health_code.event e
     WHERE e.person_id = :person_id
       AND (cast(:before_at AS timestamptz) IS NULL
            OR (e.recorded_at, e.id) < (cast(:before_at AS timestamptz), cast(:before AS uuid)))
     ORDER BY e.recorded_at DESC, e.id DESC LIMIT :most
    """
)


def history(
    session: Session | Connection,
    person_id: UUID,
    *,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return a page of what was said of somebody, and one row more if there is more."""
    at, event_id = before or (None, None)
    asked = {"person_id": person_id, "before_at": at, "before": event_id, "most": limit + 1}
    return session.execute(_PAGE, asked).mappings().all()
