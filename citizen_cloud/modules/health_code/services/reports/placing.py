"""Find the people a batch is about, after it was answered, and keep aside what names nobody yet.

A source that learned which of its rows are of somebody here could ask about anybody. So its
answer never waits for this, and nothing of it shows there: only auditors see a count. What is
kept aside names nobody either, not even to who opens it: two keyed hashes and the fact. It is
found again when the person comes, and forgotten after fourteen days.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services.people import find_traced
from citizen_cloud.db import new_id, rows_changed
from citizen_cloud.modules.health_code.services.reports.reported import (
    Origin,
    Reported,
    append_reported,
)

RECEIVED = "health_code.batch_received"
KEPT_ASIDE = timedelta(days=14)
# After it a batch whose news was not handled is looked for.
GRACE = timedelta(minutes=1)
# Facts matched in one transaction.
MOST = 200


@dataclass(frozen=True, kw_only=True)
class Placed:
    """How many people turned, and how many facts name nobody here."""

    changed: int
    unplaced: int


def rows_place(batch_id: UUID) -> str:
    """Return what binds the rows of a batch to it."""
    return f"health_code.batch:rows:{batch_id}"


def sealed(batch_id: UUID, reported: Sequence[Reported]) -> bytes:
    """Return the rows of a batch as they wait."""
    kept = json.dumps([one.as_json() for one in reported], ensure_ascii=False)
    return crypto.current().seal(kept, place=rows_place(batch_id))


def opened(batch_id: UUID, rows_sealed: bytes) -> list[Reported]:
    """Open the rows of a batch."""
    kept = crypto.current().open(rows_sealed, place=rows_place(batch_id))
    return [Reported.read(one) for one in json.loads(kept)]


def fact_place(fact_id: UUID) -> str:
    """Return what binds a fact kept aside to its row."""
    return f"health_code.unplaced:fact:{fact_id}"


def fact_of(fact_id: UUID, fact_sealed: bytes) -> Reported:
    """Open a fact that was kept aside."""
    kept = crypto.current().open(fact_sealed, place=fact_place(fact_id))
    return Reported.read(json.loads(kept))


_RECEIVED = text(
    """
    SELECT b.id, b.source_id, b.rows_sealed, s.unit_id
      FROM health_code.batch b JOIN health_code.source s ON s.id = b.source_id
     WHERE b.id = :id AND b.status = 'received' FOR UPDATE OF b
    """
)
_APPLIED = text(
    """
    UPDATE health_code.batch SET status = 'applied', rows_sealed = NULL, unplaced = :unplaced,
           decided_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id
    """
)
_KEEP = text(
    """
    INSERT INTO health_code.unplaced (id, batch_id, person_key, fact_sealed, created_at)
    SELECT n.id, :batch_id, n.person_key, n.fact_sealed,
           coalesce(cast(:now AS timestamptz), statement_timestamp())
      FROM unnest(cast(:ids AS uuid[]), cast(:keys AS bytea[]), cast(:facts AS bytea[]))
           AS n(id, person_key, fact_sealed)
    """
)


# News may be lost: a worker of an older version, or one without the module, hears of it and does
# nothing, and what fails twelve times is given up. What is older names nobody any more.
_LEFT = text(
    """
    SELECT b.id FROM health_code.source s CROSS JOIN LATERAL (
           SELECT id, received_at FROM health_code.batch
            WHERE source_id = s.id AND status = 'received'
              AND received_at BETWEEN statement_timestamp() - cast(:kept AS interval)
                                  AND statement_timestamp() - cast(:grace AS interval)) b
     ORDER BY b.received_at
    """
)


def left_over(session: Session) -> list[UUID]:
    """Return the batches, first come first, that nothing was heard of since they were received."""
    return list(session.scalars(_LEFT, {"kept": KEPT_ASIDE, "grace": GRACE}))


def apply(session: Session, *, batch_id: UUID, now: datetime | None = None) -> None:
    """Append what an accepted batch says, once."""
    row = session.execute(_RECEIVED, {"id": batch_id}).first()
    if row is None:
        return
    origin = Origin(source_id=row.source_id, unit_id=row.unit_id, batch_id=row.id)
    placed = place(session, opened(row.id, row.rows_sealed), origin, now=now)
    session.execute(_APPLIED, {"id": row.id, "unplaced": placed.unplaced, "now": now})


def place(
    session: Session, reported: Sequence[Reported], origin: Origin, *, now: datetime | None
) -> Placed:
    """Append the facts of people who are here; keep the others aside."""
    found = find_traced(session, traces=[one.trace for one in reported])
    pairs = list(zip(found, reported, strict=True))
    aside = [one for person_id, one in pairs if person_id is None]
    if aside:
        ids, rings = [new_id() for _ in aside], crypto.current()
        facts = {
            "batch_id": origin.batch_id,
            "ids": ids,
            "keys": [one.trace.person_key for one in aside],
            "facts": [
                rings.seal(json.dumps(one.as_json(), ensure_ascii=False), place=fact_place(id_))
                for id_, one in zip(ids, aside, strict=True)
            ],
            "now": now,
        }
        session.execute(_KEEP, facts)
    known = [(person_id, one) for person_id, one in pairs if person_id is not None]
    return Placed(changed=append_reported(session, known, origin, now=now), unplaced=len(aside))


# Of a source that still counts: a retired one, or a closed authority's, says nothing more.
_COME = text(
    """
    SELECT u.id, u.fact_sealed, u.batch_id, b.source_id, s.unit_id,
           CASE WHEN b.status = 'released' THEN b.proposal_id END AS approval_id,
           coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at
      FROM health_code.unplaced u
      JOIN accounts.person p ON p.person_key = u.person_key AND p.erased_at IS NULL
      JOIN health_code.batch b ON b.id = u.batch_id
      JOIN health_code.source s ON s.id = b.source_id AND s.status = 'active'
      JOIN organisations.organisation o ON o.id = s.unit_id AND o.kind = 'authority'
                                       AND o.status = 'active'
     ORDER BY u.id LIMIT :most FOR UPDATE OF u SKIP LOCKED
    """
)
_DROP = text("DELETE FROM health_code.unplaced WHERE id = ANY(:ids)")
_FORGET = text(
    """
    DELETE FROM health_code.unplaced
     WHERE created_at < coalesce(cast(:now AS timestamptz), statement_timestamp())
                        - cast(:kept AS interval)
    """
)


def match(session: Session, *, now: datetime | None = None) -> int:
    """Append what was kept aside of people who came since; return how many rows were settled.

    A fact of the document under another name is nobody's, and is dropped.
    """
    rows = session.execute(_COME, {"now": now, "most": MOST}).all()
    by_batch: dict[UUID, list[Row[tuple[object, ...]]]] = {}
    for row in rows:
        by_batch.setdefault(row.batch_id, []).append(row)
    for batch_id, group in sorted(by_batch.items()):
        facts = [fact_of(row.id, row.fact_sealed) for row in group]
        found = find_traced(session, traces=[one.trace for one in facts])
        known = [(who, one) for who, one in zip(found, facts, strict=True) if who is not None]
        origin = Origin(
            source_id=group[0].source_id,
            unit_id=group[0].unit_id,
            batch_id=batch_id,
            approval_id=group[0].approval_id,
        )
        append_reported(session, known, origin, now=group[0].at)
    if rows:
        session.execute(_DROP, {"ids": [row.id for row in rows]})
    return len(rows)


def forget(session: Session, *, now: datetime | None = None) -> int:
    """Delete what named nobody for fourteen days; return how many."""
    return rows_changed(session, _FORGET, {"now": now, "kept": KEPT_ASIDE})
