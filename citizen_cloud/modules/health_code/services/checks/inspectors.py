"""Who checks codes, and the look at a person that a check is."""

from dataclasses import dataclass
from uuid import UUID

from citizen_cloud.accounts.services.data_access import Look
from citizen_cloud.web.caller import Grant

PURPOSE = "health_code.verify"


@dataclass(frozen=True, kw_only=True)
class Inspector:
    """Who checks, and where he may."""

    account_id: UUID
    grant: Grant


def look_at(
    person_id: UUID,
    organisation_id: UUID | None,
    inspector: Inspector,
    *,
    categories: tuple[str, ...] = ("name", "health"),
    basis_id: UUID | None = None,
) -> Look:
    """Return a look at somebody who held the code out himself: no reading of lists."""
    return Look(
        person_id=person_id,
        reader_kind="staff",
        reader_id=inspector.account_id,
        organisation_id=organisation_id,
        purpose=PURPOSE,
        categories=categories,
        basis_type="consent",
        basis_id=basis_id,
    )
