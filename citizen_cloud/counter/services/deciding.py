"""Decide a case: a second person at the same counter, once, and all in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.refusals import SecondPersonRequired
from citizen_cloud.accounts.services import name_correction, people, recovery
from citizen_cloud.accounts.services.officials import Official
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.counter import queries
from citizen_cloud.counter.notices import tell
from citizen_cloud.counter.queries import Case, Reach
from citizen_cloud.counter.refusals import CaseOver
from citizen_cloud.counter.rules import (
    ENROLMENT,
    NAME_CORRECTION,
    RECOVERY,
    Asked,
    asked_place,
    reason_place,
)
from citizen_cloud.counter.services.clerk import Clerk, check_opener, note_look, write_down
from citizen_cloud.counter.services.reading import asked_in, enrolled_claim
from citizen_cloud.errors import NotFound
from citizen_cloud.federation.services.ending import end_links
from citizen_cloud.organisations.refusals import NotACounter

CHANGED = {
    RECOVERY: ("phone",),
    NAME_CORRECTION: ("name",),
    ENROLMENT: ("name", "document"),
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Yes or no with the reason; ``verified_by`` is who compared a new name with the document."""

    approved: bool
    reason: str
    verified_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """One decision under way: the locked case, what it asks, what was said, by whom."""

    found: Case
    asked: Asked
    verdict: Verdict
    official: Official
    now: datetime | None

    @property
    def status(self) -> str:
        """Return what the case becomes."""
        return "approved" if self.verdict.approved else "refused"


def name_to_verify(
    session: Session, *, case_id: UUID, reach: Reach, by: Clerk, now: datetime | None = None
) -> Claim | None:
    """Return what a verifier must say yes to before an approval; None where nothing is.

    Raises what ``decide`` raises, so that nobody who may not decide has anybody verified.
    """
    found = _decidable(queries.case(session, case_id, now=now), reach, by)
    check_opener(session, found, by, approved=True)
    new_name = asked_in(found).new_name
    if found.person_id is None or new_name is None:
        return None
    return people.renamed(session, person_id=found.person_id, name=new_name)


def _decidable(found: Case | None, reach: Reach, by: Clerk) -> Case:
    if found is None or not reach.covers(found):
        raise NotFound
    if found.status != "open":
        raise CaseOver(case_status=found.status)
    if found.opened_by == by.id:
        raise SecondPersonRequired
    return found


_DECIDE = text(
    """
    UPDATE counter.case
       SET status = :status, decided_by = :by, decided_at = :t, reason_sealed = :reason_sealed,
           organisation_id = :organisation_id, person_id = :person_id,
           asked_sealed = :asked_sealed, version = version + 1
     WHERE id = :id
    """
)


def decide(
    session: Session,
    *,
    case_id: UUID,
    verdict: Verdict,
    reach: Reach,
    by: Clerk,
    now: datetime | None = None,
) -> Case:
    """Approve a case and do what it asks, or refuse it; of two deciders at once one decides.

    Raises ``NotFound`` (also for another counter's), ``SecondPersonRequired``, ``OpenerGone``,
    ``CaseOver``, and what stands in the way of the change itself: then the case stays open.
    """
    # Whoever waited for the row sees it decided.
    found = _decidable(queries.case(session, case_id, lock=True, now=now), reach, by)
    check_opener(session, found, by, approved=verdict.approved)
    where = found.organisation_id or min(reach.counters, default=None)
    if where is None or by.id is None:
        raise NotACounter
    step = Step(
        found=found,
        asked=asked_in(found),
        verdict=verdict,
        official=Official(kind=by.kind, id=by.id, organisation_id=where, case_id=case_id),
        now=now,
    )
    # Before the change: the old phone learns of it.
    _tell(session, step)
    asked, person_id = step.asked, found.person_id
    if verdict.approved:
        person_id, asked = _apply(session, step)
    _store(session, step, person_id, asked)
    _make_known(session, step, person_id, replace(by, organisation_id=where))
    return queries.only(session, case_id, now=now)


def _tell(session: Session, step: Step) -> None:
    found = step.found
    tell(
        session,
        case_id=found.id,
        kind=found.kind,
        person_id=found.person_id,
        news=step.status,
        now=found.t,
    )


def _make_known(session: Session, step: Step, person_id: UUID | None, by: Clerk) -> None:
    found = step.found
    write_down(session, f"case_{step.status}", case_id=found.id, kind=found.kind, by=by)
    if step.verdict.approved:
        note_look(
            session,
            person_id=person_id,
            by=by,
            kind=found.kind,
            case_id=found.id,
            categories=CHANGED[found.kind],
            outcome="changed",
        )


def _store(session: Session, step: Step, person_id: UUID | None, asked: Asked) -> None:
    rings, found = crypto.current(), step.found
    facts = {
        "id": found.id,
        "status": step.status,
        "by": step.official.id,
        "t": found.t,
        "organisation_id": step.official.organisation_id,
        "person_id": person_id,
        "asked_sealed": rings.seal(asked.written(), place=asked_place(found.id))
        if person_id
        else None,
        "reason_sealed": rings.seal(step.verdict.reason, place=reason_place(found.id)),
    }
    session.execute(_DECIDE, facts)


def _apply(session: Session, step: Step) -> tuple[UUID, Asked]:
    """Do what a case asks for; return whose it was, and the wish as it is kept."""
    asked, person_id = step.asked, step.found.person_id
    claim = enrolled_claim(asked)
    if claim is not None and asked.verified_by is not None:
        enrolled = people.enrol_in_person(
            session,
            claim=claim,
            verified_by=asked.verified_by,
            official=step.official,
            now=step.now,
        )
        return enrolled, asked
    if person_id is None:
        raise NotFound
    if asked.phone is None:
        return person_id, _correct(session, step, person_id)
    account_id = recovery.recover(
        session, person_id=person_id, phone=asked.phone, official=step.official, now=step.now
    )
    # A lost phone still holds whatever app vouched for its owner.
    end_links(session, account_id=account_id, reason="recovered", now=step.found.t)
    return person_id, asked


def _correct(session: Session, step: Step, person_id: UUID) -> Asked:
    """Write the new name; the old one is kept in the case until its contents are forgotten."""
    if step.asked.new_name is None or step.verdict.verified_by is None:
        # A case without a wish, or nobody compared the name: nothing to approve.
        raise NotFound
    old = name_correction.correct_name(
        session,
        person_id=person_id,
        name=step.asked.new_name,
        verified_by=step.verdict.verified_by,
        official=step.official,
        now=step.now,
    )
    return replace(step.asked, old_name=old)
