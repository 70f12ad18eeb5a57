"""Showings that came twice, as auditors see them: doors and instants, never whose code it was."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

# The one that was first: what passed, and of papers the one closest before.
_PAGE = text(
    """
    SELECT s.finding_id AS id, s.finding AS what, s.type,
           uuid_extract_timestamp(s.finding_id) AS found_at,
           coalesce(s.device_outcome, s.outcome) = 'valid' AS is_let_in,
           s.place_id, p.organisation_id, s.account_id AS inspector_id, s.scanned_at, s.is_offline,
           f.place_id AS first_place_id, q.organisation_id AS first_organisation_id,
           f.account_id AS first_inspector_id, f.scanned_at AS first_scanned_at,
           f.is_offline AS first_is_offline
      FROM health_code.scan s
      LEFT JOIN health_code.place p ON p.id = s.place_id
      LEFT JOIN LATERAL (
           SELECT o.place_id, o.account_id, o.scanned_at, o.is_offline
             FROM health_code.scan o
            WHERE o.showing_hash = s.showing_hash AND o.outcome = 'valid' AND o.id <> s.id
              AND o.scanned_at <= s.scanned_at
              AND (s.finding = 'cloned' OR o.finding IS NULL)
            ORDER BY o.scanned_at DESC LIMIT 1) f ON true
      LEFT JOIN health_code.place q ON q.id = f.place_id
     WHERE s.finding_id IS NOT NULL
       AND (cast(:before AS uuid) IS NULL OR s.finding_id < :before)
     ORDER BY s.finding_id DESC LIMIT :most
    """
)


def findings(session: Session, *, before: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Return a page of findings and one more, the latest found first."""
    rows = session.execute(_PAGE, {"before": before, "most": limit + 1}).mappings()
    return [dict(row) for row in rows]
