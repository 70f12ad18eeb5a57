"""Clerks who vouch for families: who they are, what people see of it, and ending a link."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services.data_access import Look, Outcome, note_access
from citizen_cloud.accounts.services.real_name import Claim, key_of
from citizen_cloud.families.services import ending, writing
from citizen_cloud.families.services.writing import Author

PURPOSE = "families.attest"
VERIFIED_BY = "counter"
_END_EVIDENCE = text("UPDATE families.link SET end_evidence_sealed = :sealed WHERE id = :id")


@dataclass(frozen=True, kw_only=True)
class Counter:
    """The clerk, the place, and the reference to what was shown there."""

    account_id: UUID
    organisation_id: UUID
    evidence: str

    @property
    def author(self) -> Author:
        """Return the clerk as the audit names him."""
        return Author(kind="staff", id=self.account_id, organisation_id=self.organisation_id)


def note_look(
    session: Session,
    counter: Counter,
    person_id: UUID,
    link_id: UUID,
    *,
    outcome: Outcome,
    now: datetime,
) -> None:
    """Let a person see that a clerk had the document on the table."""
    look = Look(
        person_id=person_id,
        reader_kind="staff",
        reader_id=counter.account_id,
        organisation_id=counter.organisation_id,
        purpose=PURPOSE,
        categories=("name", "document", "family"),
        basis_type="link",
        basis_id=link_id,
        outcome=outcome,
    )
    note_access(session, look, now=now)


def end_link(
    session: Session, *, counter: Counter, acting: Claim, represented: Claim, now: datetime
) -> UUID:
    """End the link between two people by evidence shown at a counter. Raises ``NotFound``."""
    row: RowMapping = ending.revoke_between(
        session,
        acting_key=key_of(acting),
        represented_key=key_of(represented),
        by=counter.account_id,
        now=now,
    )
    link_id: UUID = row["id"]
    place = writing.end_evidence_place(link_id)
    sealed = crypto.current().seal(counter.evidence, place=place)
    session.execute(_END_EVIDENCE, {"id": link_id, "sealed": sealed})
    for person_id in (row["acting_id"], row["represented_id"]):
        note_look(session, counter, person_id, link_id, outcome="changed", now=now)
    writing.audit(session, "ended_at_counter", link_id, counter.author)
    return link_id
