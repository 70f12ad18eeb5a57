"""Facts of known people as a batch brings them; sealed as JSON while it waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.modules.health_code.rules.batches import Fact
from citizen_cloud.modules.health_code.rules.events import Kind
from citizen_cloud.modules.health_code.services.colours.events import MOST, NewEvent, append


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One fact of one person."""

    person_id: UUID
    kind: Kind
    payload: dict[str, Any]
    evidence: str
    reference: str
    occurred_at: datetime

    @classmethod
    def of(cls, fact: Fact, person_id: UUID) -> Self:
        """Return what a row says of a person."""
        return cls(
            person_id=person_id,
            kind=fact.kind,
            payload=fact.payload,
            evidence=fact.evidence_class,
            reference=fact.evidence_reference,
            occurred_at=fact.occurred_at,
        )

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Self:
        """Return what ``as_json`` kept."""
        person_id, at = UUID(kept["person_id"]), datetime.fromisoformat(kept["occurred_at"])
        return cls(**{**kept, "person_id": person_id, "occurred_at": at})

    def as_json(self) -> dict[str, Any]:
        """Return it to be kept."""
        at = self.occurred_at.isoformat()
        return {**vars(self), "person_id": str(self.person_id), "occurred_at": at}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where facts come from: source and batch, and the approval where they needed one."""

    source_id: UUID
    unit_id: UUID
    batch_id: UUID
    approval_id: UUID | None = None


def append_reported(
    session: Session, reported: Sequence[Reported], origin: Origin, *, now: datetime
) -> int:
    """Append the facts of a batch, sorted by person, in few portions; return how many turned."""
    changed = 0
    for first in range(0, len(reported), MOST):
        events = [_event(one, origin) for one in reported[first : first + MOST]]
        changed += len(append(session, events, now=now))
    return changed


def _event(one: Reported, origin: Origin) -> NewEvent:
    return NewEvent(
        person_id=one.person_id,
        kind=one.kind,
        evidence=one.evidence,
        occurred_at=one.occurred_at,
        payload=one.payload,
        details=one.reference,
        source_kind="authority",
        source_id=origin.source_id,
        organisation_id=origin.unit_id,
        batch_id=origin.batch_id,
        approval_id=origin.approval_id,
    )
