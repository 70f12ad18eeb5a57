"""Whom a proposal names: found, shown masked to who reads it, and kept from deciding on it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import clock
from citizen_cloud.accounts.refusals import IdNumberInvalid, NameInvalid
from citizen_cloud.accounts.services import people, real_name
from citizen_cloud.accounts.services.data_access import Look, note_list
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.accounts.services.standing_for import persons_behind
from citizen_cloud.manifest import Onlooker, Proposal
from citizen_cloud.modules.health_code.rules.power_refusals import OwnPerson

PURPOSE = "health_code.assign"
_LIVING = text("SELECT id FROM accounts.person WHERE id = ANY(:ids) AND erased_at IS NULL")


def meant(session: Session, named: Sequence[Mapping[str, Any]], today: date) -> list[UUID | None]:
    """Return for each of a list who it is; None for nobody here."""
    claims = [_claim(one, today) for one in named if "person_id" not in one]
    known = iter(people.find_all(session, claims=[one for one in claims if one is not None]))
    by_document = iter([None if one is None else next(known) for one in claims])
    asked = [UUID(str(one["person_id"])) for one in named if "person_id" in one]
    living = set(session.scalars(_LIVING, {"ids": asked})) if asked else set()
    return [
        next(by_document) if "person_id" not in one else _if_in(one["person_id"], living)
        for one in named
    ]


def _claim(named: Mapping[str, Any], today: date) -> Claim | None:
    try:
        return real_name.claim(
            document_type=named["document_type"],
            number=named["document_number"],
            name=named["name"],
            today=today,
        )
    except (IdNumberInvalid, NameInvalid):
        return None


def _if_in(person_id: str, living: Collection[UUID]) -> UUID | None:
    found = UUID(str(person_id))
    return found if found in living else None


def keeps_assign(session: Session, proposal: Proposal) -> Mapping[str, Any]:
    """Return the payload with ids alone: a proposal keeps nobody's name or number.

    So it forgets whom it was about with them. Everybody in it is known by now.
    """
    found = meant(session, proposal.payload["persons"], clock.local_day(proposal.created_at))
    known = sorted({one for one in found if one is not None})
    return {**proposal.payload, "persons": [{"person_id": str(one)} for one in known]}


def shows_assign(
    session: Session, proposal: Proposal, reader: Onlooker, now: datetime | None
) -> Mapping[str, Any]:
    """Return the payload with masked names and numbers' ends; everybody in it sees who looked.

    An approver compares with the file that holds the evidence: that needs no more.
    """
    person_ids = _kept(proposal)
    cards = people.cards(session, person_ids=person_ids)
    looks = [
        Look(
            person_id=person_id,
            reader_kind=reader.kind,
            reader_id=reader.account_id,
            organisation_id=reader.unit_id,
            purpose=PURPOSE,
            categories=("name", "document"),
            basis_type="case",
            basis_id=proposal.id,
        )
        for person_id in person_ids
        if person_id in cards
    ]
    note_list(session, looks, now=now)
    persons = [
        {"person_id": str(one), **(asdict(cards[one]) if one in cards else {})}
        for one in person_ids
    ]
    return {**proposal.payload, "persons": persons}


def _kept(proposal: Proposal) -> list[UUID]:
    return [UUID(one["person_id"]) for one in proposal.payload["persons"]]


_OWN = text(
    """
    SELECT EXISTS (
        SELECT FROM unnest(cast(:own AS uuid[])) AS a(person_id)
         WHERE (a.person_id = ANY(:people) OR EXISTS (
                SELECT FROM families.link l
                 WHERE l.status = 'active'
                   AND ((l.acting_id = a.person_id AND l.represented_id = ANY(:people))
                     OR (l.represented_id = a.person_id AND l.acting_id = ANY(:people))))))
    """
)


def is_own(session: Session, account_id: UUID | None, person_ids: Collection[UUID]) -> bool:
    """Return whether somebody an account stood for ever, or his family, is among these people."""
    if account_id is None or not person_ids:
        return False
    own = persons_behind(session, {account_id})
    asked = {"own": list(own), "people": list(person_ids)}
    return bool(own and session.scalar(_OWN, asked))


def require_others(session: Session, proposal: Proposal, person_ids: Collection[UUID]) -> None:
    """Refuse what somebody proposes about himself or his family. Raises ``OwnPerson``."""
    if is_own(session, proposal.proposed_by, person_ids):
        raise OwnPerson


def bars_assign(session: Session, proposal: Proposal, by: Onlooker) -> bool:
    """Return whether it is the approver's own colour, or his family's."""
    return is_own(session, by.account_id, _kept(proposal))
