"""Batches as their source and the auditors see them: counts, never people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.errors import NotFound

_COLUMNS = """
    SELECT b.id, b.source_id, s.name AS source_name, s.account_id, s.unit_id, b.reference,
           b.content_hash, b.rows_in, b.accepted, b.rejected, b.report, b.status, b.unplaced,
           b.proposal_id, b.received_at, b.decided_at
      FROM health_code.batch b JOIN health_code.source s ON s.id = b.source_id
"""


@dataclass(frozen=True, kw_only=True)
class BatchRow:
    """One batch and what became of it."""

    id: UUID
    source_id: UUID
    source_name: dict[str, str]
    account_id: UUID
    unit_id: UUID
    reference: str
    content_hash: bytes
    rows_in: int
    accepted: int
    rejected: int
    report: dict[str, Any]
    status: str
    unplaced: int
    proposal_id: UUID | None
    received_at: datetime
    decided_at: datetime | None


_ONE = text(f"{_COLUMNS} WHERE b.id = :id")
_OF_REFERENCE = text(f"{_COLUMNS} WHERE b.source_id = :source_id AND b.reference = :reference")
_PAGE = text(
    f"""{_COLUMNS}
     WHERE (cast(:before AS uuid) IS NULL OR b.id < :before)
     ORDER BY b.id DESC LIMIT :most
    """
)


def batch(session: Session, batch_id: UUID) -> BatchRow:
    """Return one batch. Raises ``NotFound``."""
    row = session.execute(_ONE, {"id": batch_id}).mappings().first()
    if row is None:
        raise NotFound
    return BatchRow(**row)


def of_reference(session: Session, *, source_id: UUID, reference: str) -> BatchRow | None:
    """Return what a source sent under one of its ids before."""
    asked = {"source_id": source_id, "reference": reference}
    row = session.execute(_OF_REFERENCE, asked).mappings().first()
    return None if row is None else BatchRow(**row)


def batches(session: Session, *, before: UUID | None, limit: int) -> list[BatchRow]:
    """Return a page of all batches and one more, newest first."""
    rows = session.execute(_PAGE, {"before": before, "most": limit + 1}).mappings()
    return [BatchRow(**row) for row in rows]
