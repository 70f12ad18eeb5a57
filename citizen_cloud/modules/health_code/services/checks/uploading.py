"""Decide anew, with the city's knowledge, what gates decided while they were alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.data_access import Look, note_list
from citizen_cloud.credentials.verifier import Outcome
from citizen_cloud.modules.health_code.queries.uploads import known_of_all
from citizen_cloud.modules.health_code.rules.verifying import Door, outcome_of
from citizen_cloud.modules.health_code.services.checks import scans
from citizen_cloud.modules.health_code.services.checks.presented import Presented
from citizen_cloud.modules.health_code.services.checks.records import record_of
from citizen_cloud.modules.health_code.services.checks.scans import KEEP, Decided
from citizen_cloud.modules.health_code.services.checks.verifying import (
    Inspector,
    report,
)

# Records of codes are kept a while after their end; then nothing says what was issued.
RECORD_KEPT = timedelta(days=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """What the server says of one scan; ``problem`` where it was not recorded."""

    scan_id: str
    device_outcome: str
    outcome: Outcome | None = None
    replayed: bool = False
    problem: str | None = None

    @property
    def is_conflict(self) -> bool:
        """Return whether a gate let somebody in whom the server would not have."""
        return (
            self.device_outcome == Outcome.VALID
            and self.outcome is not None
            and self.outcome is not Outcome.VALID
        )


def upload(
    session: Session,
    *,
    uploaded: Sequence[Presented],
    inspector: Inspector,
    now: datetime | None = None,
) -> list[Uploaded]:
    """Record scans and return the server's word on each, in their order.

    What counts is the instant of the scan by the gate's clock, never one in the future: a code
    that was revoked later was good then. The same scan again repeats its answer. Five statements
    at most, however many scans.
    """
    first: dict[str, Presented] = {}
    for one in uploaded:
        first.setdefault(one.scan_id, one)
    known = _known(session, first.values(), inspector, now)
    said: dict[str, Uploaded] = {}
    fresh: list[tuple[Presented, Decided]] = []
    for scan_id, scan in first.items():
        settled = _settled(scan, known[scan_id], inspector)
        if settled is not None:
            said[scan_id] = settled
        else:
            fresh.append((scan, _decided(session, scan, known[scan_id], inspector)))
    said |= _written(session, fresh, inspector, known, now)
    answers = [_again(one, first[one.scan_id], said[one.scan_id]) for one in uploaded]
    conflicts = sum(one.is_conflict for one in said.values() if not one.replayed)
    if conflicts:
        log.warning("offline_scans_conflict", conflicts=conflicts, scans=len(uploaded))
    return answers


def _known(
    session: Session, of: Any, inspector: Inspector, now: datetime | None
) -> dict[str, dict[str, Any]]:
    facts = [one.facts(inspector.account_id, now) for one in of]
    return known_of_all(session, account_id=inspector.account_id, scans=facts, now=now)


def _settled(scan: Presented, row: Mapping[str, Any], inspector: Inspector) -> Uploaded | None:
    """Return the answer where none is to be found: given before, or not to be given."""
    problem = None
    if scan.place_id is not None and (
        row["organisation_id"] is None or not inspector.grant.covers(row["organisation_id"])
    ):
        problem = "not_found"
    elif row["answer_sealed"] is not None:
        return _repeated(scan, row)
    elif _when(scan, row) < row["at"] - KEEP:
        problem = "too_old"
    return _problem(scan, problem) if problem else None


def _repeated(scan: Presented, row: Mapping[str, Any]) -> Uploaded:
    if row["code_hash"] != scan.code_hash:
        return _problem(scan, "scan_id_reused")
    before = scans.opened(row["answer_sealed"], row["scan_row_id"])
    return Uploaded(
        scan_id=scan.scan_id,
        device_outcome=str(scan.device_outcome),
        outcome=before.outcome,
        replayed=True,
    )


def _problem(scan: Presented, problem: str) -> Uploaded:
    return Uploaded(scan_id=scan.scan_id, device_outcome=str(scan.device_outcome), problem=problem)


def _when(scan: Presented, row: Mapping[str, Any]) -> datetime:
    """Return the instant that counts: the gate's, but none that has not been."""
    at: datetime = row["at"]
    return min(scan.device_at or at, at)


def _decided(
    session: Session, scan: Presented, row: Mapping[str, Any], inspector: Inspector
) -> Decided:
    when, claims = _when(scan, row), scan.reading.claims
    record = record_of(row, scan, when)
    outcome = outcome_of(scan.reading, record, _door(scan, row), scan.nonce, when)
    if (
        outcome is Outcome.SIGNED_BUT_NOT_ISSUED
        and claims is not None
        and row["kid"] is None
        and claims.expires_at < row["at"] - RECORD_KEPT
    ):
        outcome = Outcome.NOT_FOUND
    report(session, outcome, scan, inspector)
    is_valid = outcome is Outcome.VALID and claims is not None
    return Decided(
        outcome=outcome,
        decided_at=row["at"],
        source=scan.source,
        colour=claims.colour if is_valid and claims else None,
        as_of=claims.issued_at if is_valid and claims else None,
    )


def _door(scan: Presented, row: Mapping[str, Any]) -> Door:
    if scan.place_id is None:
        return Door()
    rules = {name: row[name] for name in ("accepts_thin", "accepts_paper", "needs_nonce")}
    return Door(place_id=scan.place_id, **rules)


def _written(
    session: Session,
    fresh: Sequence[tuple[Presented, Decided]],
    inspector: Inspector,
    known: Mapping[str, dict[str, Any]],
    now: datetime | None,
) -> dict[str, Uploaded]:
    """Write the decisions; a showing that passed at another gate as well is a replay."""
    if not fresh:
        return {}
    account_id = inspector.account_id
    rows = scans.write(session, account_id=account_id, rows=fresh)
    said = {scan.scan_id: (scan, one) for scan, one in fresh}
    behind = [(scan, _replay(one)) for scan, one in fresh if scan.scan_id not in rows]
    if behind:
        said |= {scan.scan_id: (scan, one) for scan, one in behind}
        rows |= scans.write(session, account_id=account_id, rows=behind)
    looks = [
        _look(rows[scan_id], known[scan_id], inspector)
        for scan_id, (_, one) in said.items()
        if one.outcome is Outcome.VALID and scan_id in rows and known[scan_id]["person_id"]
    ]
    note_list(session, looks, now=now)
    answers = {
        scan.scan_id: Uploaded(
            scan_id=scan.scan_id, device_outcome=str(scan.device_outcome), outcome=one.outcome
        )
        for scan, one in said.values()
    }
    # The same batch, sent twice at once: the other one wrote these.
    elsewhere = [scan for scan, _ in behind if scan.scan_id not in rows]
    if elsewhere:
        again = _known(session, elsewhere, inspector, now)
        answers |= {one.scan_id: _repeated(one, again[one.scan_id]) for one in elsewhere}
    return answers


def _replay(decided: Decided) -> Decided:
    return Decided(outcome=Outcome.REPLAYED, decided_at=decided.decided_at, source=decided.source)


def _look(row_id: UUID, row: Mapping[str, Any], inspector: Inspector) -> Look:
    """Return a look at whose colour the gate saw: the person finds it as any other."""
    return Look(
        person_id=row["person_id"],
        reader_kind="staff",
        reader_id=inspector.account_id,
        organisation_id=row["organisation_id"],
        purpose="health_code.verify",
        categories=("health",),
        basis_type="consent",
        basis_id=row_id,
    )


def _again(scan: Presented, first: Presented, said: Uploaded) -> Uploaded:
    """Return the answer of a scan that stands twice in one batch."""
    if scan is first:
        return said
    if scan.code != first.code:
        return _problem(scan, "scan_id_reused")
    return Uploaded(
        scan_id=scan.scan_id,
        device_outcome=str(scan.device_outcome),
        outcome=said.outcome,
        replayed=said.problem is None,
        problem=said.problem,
    )
