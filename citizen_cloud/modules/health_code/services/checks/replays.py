"""The same showing twice: whoever was first by the clocks passed, in whatever order it is told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.modules.health_code.rules.replays import (
    AGAIN_AFTER,
    DISTRICT_DIGITS,
    ONCE,
    TWO_DISTRICTS,
    TWO_DOORS,
)
from citizen_cloud.modules.health_code.services.checks.presented import Presented

# Uploads that may hold the same showing go one behind the other; a check at a door waits for none
# of them and is told apart by the unique index.
BUCKETS = 64
_LOCK = text(
    """
    SELECT pg_advisory_xact_lock(hashtext('health_code.showing'), bucket)
      FROM unnest(cast(:buckets AS integer[])) AS bucket
    """
)
_MARK = text(
    """
    UPDATE health_code.scan SET finding = 'replayed', finding_id = uuidv7()
     WHERE id = ANY(cast(:ids AS uuid[])) AND finding IS NULL
    """
)


def lock(session: Session, scans: Iterable[Presented]) -> None:
    """Let no other upload decide on the same showings meanwhile; always in one order."""
    hashes = {one.showing_hash for one in scans}
    buckets = sorted({found[0] % BUCKETS for found in hashes if found is not None})
    if buckets:
        session.execute(_LOCK, {"buckets": buckets})


def behind(
    scans: Sequence[tuple[Presented, datetime]], known: Mapping[str, Mapping[str, Any]]
) -> frozenset[str]:
    """Return the ids of scans whose showing passed before them, here or as it is known already.

    ``scans`` are those that would pass, each with the instant that counts.
    """
    passed: dict[tuple[Any, ...], datetime] = {}
    late = set[str]()
    # Of two at the same instant the one that was sent first.
    for scan, when in sorted(scans, key=lambda one: one[1]):
        key = _gate(scan)
        before = passed.get(key)
        is_again = before is not None and (scan.type in ONCE or when - before < AGAIN_AFTER)
        if is_again or known[scan.scan_id]["is_behind"]:
            late.add(scan.scan_id)
        elif scan.is_let_in:
            passed[key] = when
    return frozenset(late)


def _gate(scan: Presented) -> tuple[Any, ...]:
    """Return what may pass once: a showing in the whole city, or a paper at one place."""
    return (scan.showing_hash, None if scan.type in ONCE else scan.place_id)


def mark(session: Session, rows: Iterable[UUID]) -> None:
    """Say of checks that passed that an earlier one came to light; their answers stay."""
    ids = sorted(rows)
    if ids:
        session.execute(_MARK, {"ids": ids})


# What was let in, or turned away, while the same showing had passed elsewhere.
_FIND_REPLAYS = text(
    """
    UPDATE health_code.scan s SET finding = 'replayed', finding_id = uuidv7()
      FROM health_code.scan f
     WHERE s.decided_at > statement_timestamp() - cast(:back AS interval)
       AND s.type = ANY(:once) AND s.outcome = 'replayed' AND s.finding IS NULL
       AND f.showing_hash = s.showing_hash AND f.outcome = 'valid' AND f.finding IS NULL
       AND (f.account_id <> s.account_id OR f.place_id IS DISTINCT FROM s.place_id)
    """
)
# Of each two the later one, also where it was told first.
_FIND_CLONES = text(
    """
    UPDATE health_code.scan s SET finding = 'cloned', finding_id = uuidv7()
      FROM (SELECT CASE WHEN (a.scanned_at, a.id) > (b.scanned_at, b.id)
                        THEN a.id ELSE b.id END AS id
              FROM health_code.scan a
              JOIN health_code.scan b ON b.showing_hash = a.showing_hash AND b.id <> a.id
              LEFT JOIN health_code.place p ON p.id = a.place_id
              LEFT JOIN health_code.place q ON q.id = b.place_id
             WHERE a.decided_at > statement_timestamp() - cast(:back AS interval)
               AND a.type = 'hp' AND a.outcome = 'valid' AND b.outcome = 'valid'
               AND coalesce(a.place_id <> b.place_id, a.account_id <> b.account_id)
               AND greatest(a.scanned_at, b.scanned_at) - least(a.scanned_at, b.scanned_at)
                   < CASE WHEN left(p.area_code, :digits) <> left(q.area_code, :digits)
                          THEN cast(:two_districts AS interval)
                          ELSE cast(:two_doors AS interval) END) found
     WHERE s.id = found.id AND s.finding IS NULL
    """
)


def find(session: Session, *, back: timedelta) -> int:
    """Look among the checks told of lately for what an auditor should see; return how many."""
    facts = {
        "back": back,
        "once": sorted(ONCE),
        "digits": DISTRICT_DIGITS,
        "two_doors": TWO_DOORS,
        "two_districts": TWO_DISTRICTS,
    }
    replays = rows_changed(session, _FIND_REPLAYS, {"back": back, "once": facts.pop("once")})
    return replays + rows_changed(session, _FIND_CLONES, facts)
