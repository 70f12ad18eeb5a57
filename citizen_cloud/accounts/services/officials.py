"""Who changes somebody's row by a decision at a counter, as the audit names it."""

from dataclasses import dataclass
from uuid import UUID

from citizen_cloud.audit.services import Act


@dataclass(frozen=True, kw_only=True)
class Official:
    """The member of staff whose decision changes somebody's row, for the audit.

    In a counter's case, or by a family link.
    """

    kind: str
    id: UUID
    organisation_id: UUID
    case_id: UUID | None = None
    link_id: UUID | None = None


def act_of(official: Official, verb: str, object_type: str, object_id: UUID) -> Act:
    """Return the audit entry of what an official did to an account or a person."""
    basis = {"case_id": official.case_id, "link_id": official.link_id}
    return Act(
        actor_kind=official.kind,
        actor_id=official.id,
        action=f"accounts.{verb}",
        object_type=object_type,
        object_id=object_id,
        organisation_id=official.organisation_id,
        payload={name: value for name, value in basis.items() if value is not None},
    )
