"""What of a proposal is shown: a kind that names people says how, and notes who read it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from citizen_cloud.approvals.kinds import current
from citizen_cloud.manifest import Onlooker, Proposal


def shown(
    session: Session, found: Mapping[str, Any], *, reader: Onlooker, now: datetime | None = None
) -> dict[str, Any]:
    """Return a proposal as one reader may see it; ``found`` is what the query opened for him."""
    kind = current().get(found["kind"])
    if found["payload"] is None or kind is None or kind.shows is None:
        return dict(found)
    proposal = Proposal(
        id=found["id"],
        kind=found["kind"],
        payload=found["payload"],
        reason=found["reason"],
        evidence_reference=found["evidence_reference"],
        proposed_by=found["proposed_by"],
        unit_id=found["unit_id"],
        created_at=found["created_at"],
    )
    return {**found, "payload": kind.shows(session, proposal, reader, now)}
