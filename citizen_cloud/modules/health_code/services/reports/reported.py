"""Facts as a batch brings them, sealed as JSON until people are found for them.

Whom a fact is about is kept as two keyed hashes, of document and name: neither is in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.people import Trace, trace_of
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.modules.health_code.rules.batches import Fact
from citizen_cloud.modules.health_code.rules.events import Kind
from citizen_cloud.modules.health_code.services.colours.events import MOST, NewEvent, append


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One fact of whoever has a document and a name."""

    trace: Trace
    kind: Kind
    payload: dict[str, Any]
    evidence: str
    reference: str
    occurred_at: datetime

    @classmethod
    def of(cls, fact: Fact, claim: Claim) -> Self:
        """Return what a row says of whoever it names."""
        return cls(
            trace=trace_of(claim),
            kind=fact.kind,
            payload=fact.payload,
            evidence=fact.evidence_class,
            reference=fact.evidence_reference,
            occurred_at=fact.occurred_at,
        )

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Self:
        """Return what ``as_json`` kept."""
        said = dict(kept)
        trace = Trace(
            person_key=bytes.fromhex(said.pop("person_key")),
            name_hash=bytes.fromhex(said.pop("name_hash")),
        )
        at = datetime.fromisoformat(said.pop("occurred_at"))
        return cls(trace=trace, occurred_at=at, **said)

    def as_json(self) -> dict[str, Any]:
        """Return it to be kept."""
        said = {name: value for name, value in vars(self).items() if name != "trace"}
        return {
            **said,
            "person_key": self.trace.person_key.hex(),
            "name_hash": self.trace.name_hash.hex(),
            "occurred_at": self.occurred_at.isoformat(),
        }


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where facts come from: source and batch, and the approval where they needed one."""

    source_id: UUID
    unit_id: UUID
    batch_id: UUID
    approval_id: UUID | None = None


def append_reported(
    session: Session,
    found: Sequence[tuple[UUID, Reported]],
    origin: Origin,
    *,
    now: datetime | None,
) -> int:
    """Append facts of people, in few portions; return how many turned."""
    # One order for everybody who takes the locks of several people.
    ordered = sorted(found, key=lambda one: (one[0], one[1].occurred_at))
    changed = 0
    for first in range(0, len(ordered), MOST):
        events = [_event(*one, origin) for one in ordered[first : first + MOST]]
        changed += len(append(session, events, now=now))
    return changed


def _event(person_id: UUID, one: Reported, origin: Origin) -> NewEvent:
    return NewEvent(
        person_id=person_id,
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
