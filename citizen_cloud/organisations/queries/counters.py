"""Which places are service counters: people prove there who they are, and who acts for them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

# Whoever may recover accounts can take over anybody's. Pharmacies, hospitals and venues joined for
# other purposes and their staff come and go; the city's own halls answer for this.
COUNTER_KIND = "authority"
_COUNTERS = text(
    """
    SELECT id FROM organisations.organisation
     WHERE id = ANY(:ids) AND kind = :kind AND status = 'active'
    """
)


def counters_among(
    session: Session | Connection, organisation_ids: Collection[UUID]
) -> frozenset[UUID]:
    """Return the open public authorities among some places."""
    asked = {"ids": list(organisation_ids), "kind": COUNTER_KIND}
    return frozenset(session.execute(_COUNTERS, asked).scalars())
