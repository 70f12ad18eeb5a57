"""What auditors read of colours by hand, of sources and of alarms."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_MANUAL = text(
    """
    SELECT e.id, e.kind, e.payload ->> 'colour' AS colour, p.reason, e.approval_id, p.unit_id,
           ARRAY(SELECT d.unit_id FROM approvals.decision d
                  WHERE d.proposal_id = e.approval_id AND d.verdict = 'approve'
                  ORDER BY d.decided_at) AS approved_by,
           e.recorded_at
      FROM health_code.event e JOIN approvals.proposal p ON p.id = e.approval_id
     WHERE e.kind IN ('assigned', 'withdrawn')
       AND (cast(:before AS uuid) IS NULL OR e.id < :before)
     ORDER BY e.id DESC LIMIT :most
    """
)
_SOURCES = text(
    """
    SELECT id, name, unit_id, algorithm, kinds, cap_per_hour, status, registered_in, created_at,
           retired_at
      FROM health_code.source WHERE cast(:before AS uuid) IS NULL OR id < :before
     ORDER BY id DESC LIMIT :most
    """
)
# An alarm's own id is its object's; what a purge redacted has no payload any more. What was asked
# for without evidence the approvals room keeps.
_ALARMS = text(
    """
    SELECT * FROM (
        SELECT object_id AS id, coalesce(payload ->> 'what', 'redacted') AS what, actor_kind,
               actor_id, organisation_id AS unit_id, (payload ->> 'persons')::integer AS persons,
               at
          FROM audit.entry WHERE object_type = 'alarm' AND action = 'health_code.alarm'
         UNION ALL
        SELECT id, payload ->> 'code', actor_kind, actor_id, organisation_id,
               (payload ->> 'size')::integer, at
          FROM audit.entry
         WHERE object_type = 'proposal' AND object_id IS NULL
           AND action = 'approvals.propose_refused' AND payload ->> 'kind' LIKE 'health_code.%') a
     WHERE cast(:before AS uuid) IS NULL OR a.id < :before
     ORDER BY a.id DESC LIMIT :most
    """
)


def manual_events(session: Session, *, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Return a page of events by hand and one more, newest first."""
    return _page(session, _MANUAL, before, limit)


def all_sources(session: Session, *, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Return a page of sources and one more, newest first."""
    return _page(session, _SOURCES, before, limit)


def alarms(session: Session, *, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Return a page of alarms and one more, newest first."""
    return _page(session, _ALARMS, before, limit)


def _page(session: Session, sql: Any, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    rows = session.execute(sql, {"before": before, "most": limit + 1}).mappings()
    return [dict(row) for row in rows]
