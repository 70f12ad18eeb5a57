"""A disability, once a clerk has seen the certificate: it lets somebody of any age have paper."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id, rows_changed


@dataclass(frozen=True, kw_only=True)
class Counter:
    """The clerk, and the place where the person stands."""

    account_id: UUID
    organisation_id: UUID


_ATTEST = text(
    """
    INSERT INTO health_code.disability
           (id, person_id, attested_by, organisation_id, evidence_sealed, attested_at)
    VALUES (:id, :person_id, :attested_by, :organisation_id, :evidence,
            coalesce(cast(:now AS timestamptz), statement_timestamp()))
    ON CONFLICT (person_id) DO NOTHING
    """
)
_IS_KNOWN = text("SELECT EXISTS (SELECT FROM health_code.disability WHERE person_id = :id)")


def attest(
    session: Session, *, person_id: UUID, counter: Counter, evidence: str, now: datetime | None
) -> None:
    """Write down that a certificate was seen, and where its copy is filed; once is enough."""
    disability_id = new_id()
    facts = {
        "id": disability_id,
        "person_id": person_id,
        "attested_by": counter.account_id,
        "organisation_id": counter.organisation_id,
        "now": now,
    }
    sealed = crypto.current().seal(evidence, place=evidence_place(disability_id))
    if not rows_changed(session, _ATTEST, {**facts, "evidence": sealed}):
        return
    act = Act(
        actor_kind="staff",
        actor_id=counter.account_id,
        action="health_code.disability_attested",
        object_type="disability",
        object_id=disability_id,
        organisation_id=counter.organisation_id,
        payload={"person_id": person_id},
    )
    record(session, act)


def is_known(session: Session, *, person_id: UUID) -> bool:
    """Return whether a certificate was seen."""
    return bool(session.scalar(_IS_KNOWN, {"id": person_id}))


def evidence_place(disability_id: UUID) -> str:
    """Return what binds a reference to evidence to its row."""
    return f"health_code.disability:evidence:{disability_id}"
