"""What is written down of what two people agreed to about somebody: the act, and the looks."""

from collections.abc import Iterable
from uuid import UUID

from citizen_cloud.accounts.services.data_access import Look, Outcome
from citizen_cloud.audit.services import Act
from citizen_cloud.manifest import Proposal
from citizen_cloud.modules.health_code.services.colours.events import NewEvent


def act_of(event: NewEvent, proposal: Proposal, *, action: str) -> Act:
    """Return the act of an event; the person is named in the payload, which can be redacted."""
    return Act(
        actor_kind="staff" if proposal.proposed_by else "system",
        actor_id=proposal.proposed_by,
        action=action,
        object_type="colour",
        object_id=event.id,
        organisation_id=proposal.unit_id,
        payload={"person_id": event.person_id, "approval_id": proposal.id},
    )


def looks_of(
    proposal: Proposal,
    person_ids: Iterable[UUID],
    *,
    purpose: str,
    categories: tuple[str, ...],
    outcome: Outcome,
) -> list[Look]:
    """Return the looks of whoever proposed, at each of the people."""
    return [
        Look(
            person_id=person_id,
            reader_kind="staff" if proposal.proposed_by else "system",
            reader_id=proposal.proposed_by,
            organisation_id=proposal.unit_id,
            purpose=purpose,
            categories=categories,
            basis_type="case",
            basis_id=proposal.id,
            outcome=outcome,
        )
        for person_id in person_ids
    ]
