"""Open a case: the clerk types what lies on the counter, and learns nothing beyond it."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.refusals import AccountNotLiving
from citizen_cloud.accounts.services import people, recovery
from citizen_cloud.accounts.services.name_correction import name_known
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.accounts.services.people import Found
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.counter import queries
from citizen_cloud.counter.notices import tell
from citizen_cloud.counter.queries import Case
from citizen_cloud.counter.refusals import CaseOpen, NameUnchanged
from citizen_cloud.counter.rules import (
    ENROLMENT,
    LIVES,
    RECOVERY,
    Asked,
    asked_place,
    evidence_place,
)
from citizen_cloud.counter.services import ending, phone_proof
from citizen_cloud.counter.services.clerk import Clerk, note_look, write_down
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound, Refusal


@dataclass(frozen=True, kw_only=True)
class NewCase:
    """What is asked, about whom, and what proves it."""

    kind: str
    person_id: UUID | None
    asked: Asked
    evidence: str


def identify(session: Session, *, claim: Claim, kind: str, by: Clerk) -> UUID | Refusal:
    """Return whose document and name these are; raise a returned refusal after the commit.

    An unknown document and a wrong name are the same ``NotFound``. The holder of the document
    sees that somebody tried, as of a recovery of an account that does not live.
    """
    found = people.find(session, claim=claim)
    if found is None or not found.is_named:
        return _refused(session, NotFound(), found, kind, by)
    try:
        if kind == RECOVERY:
            recovery.living_account(session, person_id=found.person_id)
    except AccountNotLiving as refusal:
        return _refused(session, refusal, found, kind, by)
    return found.person_id


def _refused(
    session: Session, refusal: Refusal, found: Found | None, kind: str, by: Clerk
) -> Refusal:
    if found is not None:
        note_look(
            session,
            person_id=found.person_id,
            by=by,
            kind=kind,
            case_id=None,
            outcome="refused",
        )
    write_down(session, "identity_refused", case_id=None, kind=kind, by=by)
    return refusal


def holder(session: Session, *, claim: Claim) -> UUID | None:
    """Return who is known by a document that is to be enrolled, whatever the name."""
    found = people.find(session, claim=claim)
    return found.person_id if found else None


_INSERT = text(
    """
    INSERT INTO counter.case
           (id, kind, organisation_id, person_id, asked_by, opened_by, opened_at, expires_at,
            asked_sealed, evidence_sealed)
    SELECT :id, :kind, :organisation_id, :person_id, :asked_by, :opened_by, t, t + :life,
           :asked_sealed, :evidence_sealed
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    ON CONFLICT (kind, person_id) WHERE status = 'open' AND kind <> 'enrolment' DO NOTHING
    RETURNING opened_at
    """
)


def open_case(
    session: Session,
    *,
    new: NewCase,
    by: Clerk,
    proven: ProvenPhone | None = None,
    now: datetime | None = None,
) -> Case:
    """Open a case and tell the person, by a text to the phone that is theirs until now.

    ``proven`` is the phone a recovery shall lead to; its code is spent here. Raises ``CaseOpen``,
    ``OtpInvalid``, ``PhoneFull``, ``AccountNotLiving``, ``NameUnchanged``.
    """
    if new.person_id is not None:
        ending.expire_due(session, kind=new.kind, person_id=new.person_id, now=now)
    asked = _complete(session, new, by, proven, now)
    case_id, asked_by = new_id(), "staff" if by.organisation_id else "citizen"
    rings = crypto.current()
    facts = {
        "id": case_id,
        "kind": new.kind,
        "organisation_id": by.organisation_id,
        "person_id": new.person_id,
        "asked_by": asked_by,
        "opened_by": by.id,
        "life": LIVES[asked_by],
        "asked_sealed": rings.seal(asked.written(), place=asked_place(case_id)),
        "evidence_sealed": rings.seal(new.evidence, place=evidence_place(case_id)),
        "now": now,
    }
    opened_at: datetime | None = session.scalar(_INSERT, facts)
    if opened_at is None:
        raise CaseOpen
    _make_known(session, new, case_id, by, opened_at)
    return queries.only(session, case_id, now=now)


def _complete(
    session: Session, new: NewCase, by: Clerk, proven: ProvenPhone | None, now: datetime | None
) -> Asked:
    """Return the wish with what is proven in this transaction."""
    if proven is not None and new.person_id is not None:
        account_id = recovery.living_account(session, person_id=new.person_id)
        phone = phone_proof.spend(session, proven=proven, now=now)
        recovery.check_room(session, phone=phone, account_id=account_id)
        return replace(new.asked, phone=phone)
    new_name = new.asked.new_name
    if new_name and new.person_id and name_known(session, person_id=new.person_id) == new_name:
        pointer = "/new_name" if by.organisation_id else "/name"
        raise NameUnchanged(errors=[{"pointer": pointer, "code": "invalid"}])
    return new.asked


def _make_known(
    session: Session, new: NewCase, case_id: UUID, by: Clerk, opened_at: datetime
) -> None:
    write_down(session, "case_opened", case_id=case_id, kind=new.kind, by=by)
    if by.organisation_id is not None and new.kind != ENROLMENT:
        note_look(session, person_id=new.person_id, by=by, kind=new.kind, case_id=case_id)
    tell(
        session,
        case_id=case_id,
        kind=new.kind,
        person_id=new.person_id,
        news="opened",
        now=opened_at,
    )
