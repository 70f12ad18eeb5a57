"""The list of checks: written once each, answered again to whoever asks again, soon forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services.data_access import Look, consented, noted_from
from citizen_cloud.credentials.verifier.outcomes import Outcome
from citizen_cloud.db import first_row, new_id, rows_changed
from citizen_cloud.modules.health_code.services.checks.presented import Presented

KEEP = timedelta(days=21)


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What was said of one scan. The name is none of it: it is looked up again."""

    outcome: Outcome
    decided_at: datetime
    source: str | None = None
    colour: str | None = None
    as_of: datetime | None = None


# Every column of every row of a batch, in one statement. Nothing comes back for a scan that is
# there already, or a showing that passed elsewhere meanwhile.
_WRITE = text(
    """
    INSERT INTO health_code.scan
           (id, account_id, scan_id, place_id, code_hash, showing_hash, type, outcome,
            answer_sealed, decided_at, scanned_at, is_offline, device_at, device_outcome,
            is_conflict, finding, finding_id)
    SELECT r.id, :account_id, r.scan_id, r.place_id, r.code_hash, r.showing_hash, r.type,
           r.outcome, r.answer_sealed, r.decided_at, least(r.device_at, r.decided_at),
           r.device_at IS NOT NULL, r.device_at, r.device_outcome,
           coalesce(r.device_outcome = 'valid' AND r.outcome <> 'valid', false),
           CASE WHEN r.device_outcome = 'valid' AND r.outcome = 'replayed' THEN 'replayed' END,
           CASE WHEN r.device_outcome = 'valid' AND r.outcome = 'replayed' THEN uuidv7() END
      FROM unnest(cast(:ids AS uuid[]), cast(:scan_ids AS varchar[]), cast(:place_ids AS uuid[]),
                  cast(:code_hashes AS bytea[]), cast(:showing_hashes AS bytea[]),
                  cast(:types AS varchar[]), cast(:outcomes AS varchar[]),
                  cast(:answers AS bytea[]), cast(:decided_ats AS timestamptz[]),
                  cast(:device_ats AS timestamptz[]), cast(:device_outcomes AS varchar[]))
           AS r(id, scan_id, place_id, code_hash, showing_hash, type, outcome,
                answer_sealed, decided_at, device_at, device_outcome)
    ON CONFLICT DO NOTHING
    RETURNING scan_id, id
    """
)
# One check made here and now, with the person's look, in one statement of its own. Nothing is
# written, neither of the two, where the scan or the showing was there already.
_WRITE_NOTED = f"""
    WITH made AS (
        INSERT INTO health_code.scan
               (id, account_id, scan_id, place_id, code_hash, showing_hash, type, outcome,
                answer_sealed, decided_at, scanned_at)
        VALUES (%(id)s, %(account_id)s, %(scan_id)s, %(place_id)s, %(code_hash)s, %(showing_hash)s,
                %(type)s, %(outcome)s, %(answer)s, %(decided_at)s, %(decided_at)s)
        ON CONFLICT DO NOTHING RETURNING id
    ), noted AS ({noted_from("made")})
    SELECT id FROM made
"""  # noqa: S608 - put together from constants
_FORGET = text(
    """
    DELETE FROM health_code.scan
     WHERE decided_at < coalesce(cast(:now AS timestamptz), statement_timestamp())
                        - cast(:keep AS interval)
    """
)


def write(
    session: Session, *, account_id: UUID, rows: Sequence[tuple[Presented, Decided]]
) -> dict[str, UUID]:
    """Write checks down; return the rows by scan id, without those that were there already."""
    ids = [new_id() for _ in rows]
    scans, said = [one for one, _ in rows], [one for _, one in rows]
    facts = {
        "account_id": account_id,
        "ids": ids,
        "scan_ids": [one.scan_id for one in scans],
        "place_ids": [one.place_id for one in scans],
        "code_hashes": [one.code_hash for one in scans],
        "showing_hashes": [_showing_hash(*one) for one in rows],
        "types": [one.type for one in scans],
        "outcomes": [str(one.outcome) for one in said],
        "answers": [sealed(one, id_) for one, id_ in zip(said, ids, strict=True)],
        "decided_ats": [one.decided_at for one in said],
        "device_ats": [one.device_at for one in scans],
        "device_outcomes": [one.device_outcome for one in scans],
    }
    return {row.scan_id: row.id for row in session.execute(_WRITE, facts)}


def _showing_hash(scan: Presented, said: Decided) -> bytes | None:
    """Return what a showing that passed is known again by; one that a gate refused did not."""
    is_unused = said.outcome is Outcome.VALID and not scan.is_let_in
    return None if is_unused else scan.showing_hash


def write_noted(
    connection: Connection,
    *,
    scan: Presented,
    said: Decided,
    look: Look | None,
    by: UUID,
    now: datetime | None = None,
) -> bool:
    """Write one check and the look it was; return False, with nothing written, if it was there."""
    row_id = new_id()
    facts = consented(look) | {
        "id": row_id,
        "account_id": by,
        "scan_id": scan.scan_id,
        "place_id": scan.place_id,
        "code_hash": scan.code_hash,
        "showing_hash": scan.showing_hash,
        "type": scan.type,
        "outcome": str(said.outcome),
        "answer": sealed(said, row_id),
        "decided_at": said.decided_at,
        "now": now,
    }
    return first_row(connection, _WRITE_NOTED, facts) is not None


def answer_place(row_id: UUID) -> str:
    """Return what binds a sealed answer to its row."""
    return f"health_code.scan:answer:{row_id}"


def sealed(decided: Decided, row_id: UUID) -> bytes:
    """Seal an answer: the instant a colour began would lead to whose it is."""
    said = {
        "outcome": decided.outcome,
        "decided_at": decided.decided_at.isoformat(),
        "source": decided.source,
        "colour": decided.colour,
        "as_of": decided.as_of.isoformat() if decided.as_of else None,
    }
    return crypto.current().seal(orjson.dumps(said).decode(), place=answer_place(row_id))


def opened(answer_sealed: bytes, row_id: UUID) -> Decided:
    """Open an answer that was given before."""
    said: dict[str, Any] = orjson.loads(
        crypto.current().open(answer_sealed, place=answer_place(row_id))
    )
    return Decided(
        outcome=Outcome(said["outcome"]),
        decided_at=datetime.fromisoformat(said["decided_at"]),
        source=said["source"],
        colour=said["colour"],
        as_of=datetime.fromisoformat(said["as_of"]) if said["as_of"] else None,
    )


def forget(session: Session, *, now: datetime | None = None) -> int:
    """Delete checks after three weeks; return how many."""
    return rows_changed(session, _FORGET, {"now": now, "keep": KEEP})
