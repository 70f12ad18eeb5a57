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
from citizen_cloud.modules.health_code.services.checks import replays, scans
from citizen_cloud.modules.health_code.services.checks.inspectors import Inspector, look_at
from citizen_cloud.modules.health_code.services.checks.presented import Presented
from citizen_cloud.modules.health_code.services.checks.records import record_of
from citizen_cloud.modules.health_code.services.checks.scans import KEEP, Decided
from citizen_cloud.modules.health_code.services.checks.verifying import (
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
    that was revoked later was good then, and of two showings of one code the later is a replay,
    whichever was told first. The same scan again repeats its answer. Seven statements at most,
    however many scans, unless a door is checking the same code at this very moment.
    """
    first: dict[str, Presented] = {}
    for one in uploaded:
        first.setdefault(one.scan_id, one)
    replays.lock(session, first.values())
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
    """Write the decisions. A second round is only for what a door answered in between."""
    answers: dict[str, Uploaded] = {}
    looks: list[Look] = []
    waiting = list(fresh)
    while waiting:
        settled = _told_apart(session, waiting, known)
        # One order for all uploads of an inspector, should the same scans come twice at once.
        settled.sort(key=lambda one: one[0].scan_id)
        rows = scans.write(session, account_id=inspector.account_id, rows=settled)
        for scan, one in settled:
            if scan.scan_id in rows:
                answers[scan.scan_id] = _answer(scan, one)
                if one.outcome is Outcome.VALID and known[scan.scan_id]["person_id"]:
                    looks.append(_look(rows[scan.scan_id], known[scan.scan_id], inspector))
        behind = [(scan, one) for scan, one in waiting if scan.scan_id not in rows]
        known = _known(session, [scan for scan, _ in behind], inspector, now) if behind else {}
        waiting = []
        for scan, one in behind:
            row = known[scan.scan_id]
            if row["answer_sealed"] is not None:
                answers[scan.scan_id] = _repeated(scan, row)
            else:
                waiting.append((scan, one))
    note_list(session, looks, now=now)
    return answers


def _told_apart(
    session: Session,
    fresh: Sequence[tuple[Presented, Decided]],
    known: Mapping[str, dict[str, Any]],
) -> list[tuple[Presented, Decided]]:
    """Let the earliest of each showing pass; say of later ones, here and known, that they are."""
    good = [
        (scan, _when(scan, known[scan.scan_id]))
        for scan, one in fresh
        if one.outcome is Outcome.VALID
    ]
    late = replays.behind(good, known)
    ahead = [scan.scan_id for scan, _ in good if scan.is_let_in and scan.scan_id not in late]
    replays.mark(session, {id_ for one in ahead for id_ in known[one]["ahead_of"] or ()})
    return [(scan, _replay(one) if scan.scan_id in late else one) for scan, one in fresh]


def _answer(scan: Presented, said: Decided) -> Uploaded:
    return Uploaded(
        scan_id=scan.scan_id, device_outcome=str(scan.device_outcome), outcome=said.outcome
    )


def _replay(decided: Decided) -> Decided:
    return Decided(outcome=Outcome.REPLAYED, decided_at=decided.decided_at, source=decided.source)


def _look(row_id: UUID, row: Mapping[str, Any], inspector: Inspector) -> Look:
    """Return a look at whose colour the gate saw: the person finds it as any other."""
    return look_at(
        row["person_id"],
        row["organisation_id"],
        inspector,
        categories=("health",),
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
