"""Appeals that wait longer than they may: an alarm each, and another every day."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.services.power.alarms import Alarm, ring

MOST = 100
# Several workers may look at once; each row is rung for by one of them. Nobody's silence ends it.
_OVERDUE = text(
    """
    WITH late AS MATERIALIZED (
        SELECT id FROM health_code.appeal
         WHERE decided_at IS NULL
           AND due_at < coalesce(cast(:now AS timestamptz), statement_timestamp())
           AND (overdue_at IS NULL
                OR overdue_at <= coalesce(cast(:now AS timestamptz), statement_timestamp())
                                 - interval '24 hours')
         ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED)
    UPDATE health_code.appeal a
       SET overdue_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
      FROM late WHERE a.id = late.id
    RETURNING a.id, a.kind, a.unit_id
    """
)


def ring_for_overdue(session: Session, *, now: datetime | None = None) -> int:
    """Mark some appeals as overdue and ring for each; return how many."""
    rows = session.execute(_OVERDUE, {"now": now, "most": MOST}).all()
    for row in rows:
        facts = {"appeal_id": str(row.id), "kind": row.kind}
        ring(session, Alarm(what="appeal_overdue", unit_id=row.unit_id, facts=facts))
    return len(rows)
