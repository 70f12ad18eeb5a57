"""Look at one case: masked, written down, and shown to the person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services import people
from citizen_cloud.accounts.services.people import Card
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.counter import queries
from citizen_cloud.counter.queries import Case, Reach
from citizen_cloud.counter.rules import (
    Asked,
    asked_of,
    asked_place,
    evidence_place,
    reason_place,
)
from citizen_cloud.counter.services.clerk import Clerk, at, note_look, write_down
from citizen_cloud.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A case with what the deciding clerk compares."""

    case: Case
    card: Card | None
    asked: Asked
    evidence: str | None
    reason: str | None


def look(
    session: Session, *, case_id: UUID, reach: Reach, by: Clerk, now: datetime | None = None
) -> Seen:
    """Return a case and write the look down. Raises ``NotFound``, also for another counter's."""
    found = queries.case(session, case_id, now=now)
    if found is None or not reach.covers(found):
        raise NotFound
    by = at(by, reach, found.organisation_id)
    write_down(session, "case_read", case_id=case_id, kind=found.kind, by=by)
    note_look(session, person_id=found.person_id, by=by, kind=found.kind, case_id=case_id)
    return opened(session, found)


def opened(session: Session, case: Case) -> Seen:
    """Open what a case holds; after 90 days, or an erasure, there is nothing left to open."""
    asked = asked_in(case)
    return Seen(
        case=case,
        card=_card(session, case, asked),
        asked=asked,
        evidence=_opened(case.evidence_sealed, evidence_place(case.id)),
        reason=_opened(case.reason_sealed, reason_place(case.id)),
    )


def asked_in(case: Case) -> Asked:
    """Return what a case wishes for."""
    written = _opened(case.asked_sealed, asked_place(case.id))
    return Asked() if written is None else asked_of(written)


def enrolled_claim(asked: Asked) -> Claim | None:
    """Return the document an enrolment is about; None in another kind's wish."""
    if asked.document_type is None or asked.document_number is None or asked.name is None:
        return None
    return Claim(document_type=asked.document_type, number=asked.document_number, name=asked.name)


def _card(session: Session, case: Case, asked: Asked) -> Card | None:
    """Return the card typed for an enrolment, else the person's own.

    What is on record of an enrolled document's holder is not shown: the clerk typed a name, and
    sees that name.
    """
    typed = enrolled_claim(asked)
    if typed is not None:
        return people.card_of(typed)
    return people.card(session, person_id=case.person_id) if case.person_id else None


def _opened(sealed: bytes | None, place: str) -> str | None:
    return None if sealed is None else crypto.current().open(sealed, place=place)
