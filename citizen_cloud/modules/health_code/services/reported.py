"""Facts of known people as a batch brings them; sealed as JSON while it waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from citizen_cloud.modules.health_code.rules.batches import Fact
from citizen_cloud.modules.health_code.services.events import NewEvent


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One fact of one person."""

    person_id: UUID
    kind: str
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


def events_of(
    reported: Sequence[Reported],
    *,
    source_id: UUID,
    batch_id: UUID,
    approval_id: UUID | None = None,
) -> list[NewEvent]:
    """Return the events a batch brings."""
    return [
        NewEvent(
            person_id=one.person_id,
            kind=one.kind,
            evidence=one.evidence,
            occurred_at=one.occurred_at,
            payload=one.payload,
            source_kind="authority",
            source_id=source_id,
            approval_id=approval_id,
            batch_id=batch_id,
        )
        for one in reported
    ]
