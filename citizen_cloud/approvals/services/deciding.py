"""Decide on a proposal. The last approval and what it brings about are one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services.standing_for import accounts_beside, persons_behind
from citizen_cloud.approvals import sealing
from citizen_cloud.approvals.kinds import current
from citizen_cloud.approvals.refusals import (
    AlreadyDecided,
    NotAnApprover,
    NotIndependent,
    OwnProposal,
    ProposalOver,
    StandingChanged,
    UnitTaken,
)
from citizen_cloud.approvals.services.applying import apply_if_enough, opened
from citizen_cloud.approvals.services.approvers import Standing, standing_of
from citizen_cloud.approvals.services.ending import REJECTED, end
from citizen_cloud.approvals.services.recording import By, act, clock, refused
from citizen_cloud.audit.services import record
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound, Refusal, StaleVersion
from citizen_cloud.manifest import Onlooker, Proposal
from citizen_cloud.organisations.queries import are_tied

HELD_BY_DATABASE = frozenset(
    {
        "ck_decision_by_another",
        "ck_decision_by_approver",
        "ck_decision_one_person",
        "ck_proposal_enough_approvals",
    }
)
Verdict = Literal["approve", "reject"]


@dataclass(frozen=True, kw_only=True)
class Word:
    """What an approver says, and the digest of what he was shown."""

    verdict: Verdict
    digest: str
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Decided:
    """A decision, and how the proposal stands after it."""

    id: UUID
    status: str
    outcome: Mapping[str, Any] | None = None


# Everybody who decides on one proposal queues here; two last approvals apply once.
_LOCK = text(
    """
    SELECT id, kind, payload_sealed, digest, reason, evidence_sealed, proposed_by, unit_id,
           approvals_needed, status, created_at, expires_at
      FROM approvals.proposal WHERE id = :id FOR UPDATE
    """
)
_OTHERS = text(
    """
    SELECT account_id, unit_id, verdict FROM approvals.decision
     WHERE proposal_id = :id ORDER BY decided_at
    """
)
_DECIDE = text(
    """
    INSERT INTO approvals.decision
           (id, proposal_id, approver_id, account_id, unit_id, verdict, note_sealed, decided_at)
    VALUES (:id, :proposal_id, :approver_id, :account_id, :unit_id, :verdict, :note, :now)
    """
)


def decide(
    session: Session,
    *,
    proposal_id: UUID,
    account_id: UUID,
    word: Word,
    now: datetime | None = None,
) -> Decided:
    """Approve or reject; any rejection ends it, the last approval applies it.

    What applying refuses ends the proposal as failed: decisions stay, nothing is half-done.
    Raises ``NotFound``, ``NotAnApprover``, ``OwnProposal``, ``AlreadyDecided``, ``UnitTaken``,
    ``NotIndependent``, ``ProposalOver``, ``StaleVersion``; an attempt at what is there is kept.
    ``StandingChanged`` where an approver was dismissed at the same moment: nothing was done.
    """
    found = session.execute(_LOCK, {"id": proposal_id}).first()
    standing = standing_of(session, account_id)
    at = clock(session, now)
    if found is None:
        raise NotFound if standing else NotAnApprover
    fault = NotAnApprover() if standing is None else _fault(session, found, standing, word, at)
    if standing is None or fault is not None:
        by = By(kind="staff", id=account_id, unit_id=standing.unit_id if standing else None)
        facts = {"verdict": word.verdict}
        raise refused(fault or NotAnApprover(), "decide_refused", by, found.id, facts)
    try:
        with session.begin_nested():
            return _decided(session, found, standing, word, at)
    except IntegrityError as error:
        # The database saw somebody go, or be somebody else, whom the statements before still saw.
        diagnosis = getattr(error.orig, "diag", None)
        if getattr(diagnosis, "constraint_name", None) in HELD_BY_DATABASE:
            raise StandingChanged from error
        raise


def _decided(
    session: Session, found: Row[Any], standing: Standing, word: Word, now: datetime
) -> Decided:
    decision_id = _write(session, found, standing, word, now)
    if word.verdict == "reject":
        end(session, found, status="rejected", event=REJECTED, now=now)
        return Decided(id=decision_id, status="rejected")
    status, outcome = apply_if_enough(session, found, now=now)
    return Decided(id=decision_id, status=status, outcome=outcome)


def _fault(
    session: Session, found: Row[Any], standing: Standing, word: Word, now: datetime
) -> Refusal | None:
    """Return why an approver may not say this now, if he may not."""
    if found.status != "open" or found.expires_at <= now:
        return ProposalOver()
    if _is_proposer(session, found, standing) or _is_own(session, found, standing):
        return OwnProposal()
    if bytes(found.digest).hex() != word.digest:
        return StaleVersion()
    return _fault_among(session, found, standing, word, now)


def _fault_among(
    session: Session, found: Row[Any], standing: Standing, word: Word, now: datetime
) -> Refusal | None:
    """Return what stands between this approver and the others of the proposal."""
    others = session.execute(_OTHERS, {"id": found.id}).all()
    if _is_among(session, standing, {other.account_id for other in others}):
        return AlreadyDecided()
    if word.verdict == "reject":
        return None
    if any(other.unit_id == standing.unit_id for other in others):
        return UnitTaken()
    known = {other.account_id for other in others} | ({found.proposed_by} - {None})
    return NotIndependent() if _is_tied(session, standing, known, now) else None


def _is_tied(session: Session, standing: Standing, known: set[UUID], now: datetime) -> bool:
    """Return whether one of the approver's accounts is tied to one of the others'."""
    own = accounts_beside(session, {standing.account_id})
    others = accounts_beside(session, known) - own
    return are_tied(session, own, others, now=now)


def _is_proposer(session: Session, found: Row[Any], standing: Standing) -> bool:
    """Return whether the approver proposed it, with whichever account."""
    return found.proposed_by is not None and _is_among(session, standing, {found.proposed_by})


def _is_among(session: Session, standing: Standing, account_ids: set[UUID]) -> bool:
    """Return whether one of these accounts is the approver's, or ever stood for whom his did."""
    if standing.account_id in account_ids:
        return True
    own = persons_behind(session, {standing.account_id})
    return bool(own & persons_behind(session, account_ids))


def _is_own(session: Session, found: Row[Any], standing: Standing) -> bool:
    """Return whether it names an account of his, as an appointment does, or the kind says so."""
    proposal, kind = opened(found), current().get(found.kind)
    if _is_among(session, standing, _named(proposal)):
        return True
    by = Onlooker(account_id=standing.account_id, kind="staff", unit_id=standing.unit_id)
    return kind is not None and kind.bars is not None and kind.bars(session, proposal, by)


def _named(proposal: Proposal) -> set[UUID]:
    try:
        return {UUID(str(proposal.payload.get("account_id")))}
    except ValueError:
        return set()


def _write(
    session: Session, found: Row[Any], standing: Standing, word: Word, now: datetime
) -> UUID:
    decision_id = new_id()
    place = sealing.note_place(decision_id)
    session.execute(
        _DECIDE,
        {
            "id": decision_id,
            "proposal_id": found.id,
            "approver_id": standing.approver_id,
            "account_id": standing.account_id,
            "unit_id": standing.unit_id,
            "verdict": word.verdict,
            "note": None if word.note is None else crypto.current().seal(word.note, place=place),
            "now": now,
        },
    )
    by = By(kind="staff", id=standing.account_id, unit_id=standing.unit_id)
    facts = {"decision_id": decision_id, "kind": found.kind}
    record(session, act(word.verdict, by, found.id, facts))
    return decision_id
