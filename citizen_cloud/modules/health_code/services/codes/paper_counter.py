"""Paper codes at a counter: the document on the table says whose, and the person sees by whom."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services import people
from citizen_cloud.accounts.services.data_access import Look, Outcome, note_access
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.health_code.services.codes import disabilities, papers
from citizen_cloud.modules.health_code.services.codes.disabilities import Counter
from citizen_cloud.modules.health_code.services.codes.papers import Giver, Paper, Printed

PURPOSE = "health_code.paper"

_MADE_HERE = text(
    """
    SELECT person_id, organisation_id FROM health_code.paper
     WHERE id = :id AND organisation_id = ANY(:places) AND ended_at IS NULL
       AND issued_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
                       - interval '1 hour'
    """
)


def give(
    session: Session,
    *,
    claim: Claim,
    counter: Counter,
    disability_evidence: str | None = None,
    now: datetime | None = None,
) -> Paper:
    """Give the holder of a document a paper code; raises what ``papers.give`` does."""
    person_id = _whose(session, claim)
    if disability_evidence is not None:
        disabilities.attest(
            session, person_id=person_id, counter=counter, evidence=disability_evidence, now=now
        )
    paper = papers.give(session, person_id=person_id, giver=_giver(counter), now=now)
    _note(session, person_id, counter, paper.id, outcome="changed", now=now)
    return paper


def printed(
    session: Session,
    *,
    paper_id: UUID,
    account_id: UUID,
    organisation_ids: Collection[UUID],
    now: datetime | None = None,
) -> Printed:
    """Return a paper made at one of these places within the hour. Raises ``NotFound``."""
    facts = {"id": paper_id, "places": list(organisation_ids), "now": now}
    found = session.execute(_MADE_HERE, facts).first()
    if found is None:
        raise NotFound
    counter = Counter(account_id=account_id, organisation_id=found.organisation_id)
    _note(session, found.person_id, counter, paper_id, outcome="read", now=now)
    return papers.printed(session, person_id=found.person_id, paper_id=paper_id, now=now)


def report_lost(
    session: Session, *, claim: Claim, counter: Counter, now: datetime | None = None
) -> None:
    """End the living paper of the holder of a document. Raises ``NotFound``."""
    person_id = _whose(session, claim)
    paper_id = papers.report_lost(session, person_id=person_id, giver=_giver(counter), now=now)
    _note(session, person_id, counter, paper_id, outcome="changed", now=now)


def _whose(session: Session, claim: Claim) -> UUID:
    """Return who the document and the name belong to; both must be known."""
    found = people.find(session, claim=claim)
    if found is None or not found.is_named:
        raise NotFound
    return found.person_id


def _giver(counter: Counter) -> Giver:
    return Giver(
        kind="staff", account_id=counter.account_id, organisation_id=counter.organisation_id
    )


def _note(
    session: Session,
    person_id: UUID,
    counter: Counter,
    paper_id: UUID,
    *,
    outcome: Outcome,
    now: datetime | None,
) -> None:
    look = Look(
        person_id=person_id,
        reader_kind="staff",
        reader_id=counter.account_id,
        organisation_id=counter.organisation_id,
        purpose=PURPOSE,
        categories=("name", "document", "health"),
        basis_type="case",
        basis_id=paper_id,
        outcome=outcome,
    )
    note_access(session, look, now=now)
