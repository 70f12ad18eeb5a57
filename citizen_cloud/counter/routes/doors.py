"""The clerks' blueprint, and what its doors share."""

from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.counter import queries
from citizen_cloud.counter.queries import Reach
from citizen_cloud.counter.services.clerk import Clerk
from citizen_cloud.web import cursors
from citizen_cloud.web.blueprint import Blueprint
from citizen_cloud.web.caller import caller, grant

blp = Blueprint(
    "counter",
    url_prefix="/counter",
    description="服务窗口 · What two members of staff decide at a service counter",
)


def clerk(organisation_id: UUID | None = None) -> Clerk:
    """Return the caller as cases and audit name him."""
    return Clerk(kind=caller().kind, id=caller().account_id, organisation_id=organisation_id)


def clerk_within(reach: Reach) -> Clerk:
    """Return the caller at his counter, where there is only one it can be."""
    only = next(iter(reach.counters)) if len(reach.counters) == 1 else None
    return clerk(only)


def reach(session: Session) -> Reach:
    """Return what the caller's permission at this door reaches."""
    return queries.reach_of(session, grant())


def before_of(listing: str, cursor: str | None) -> UUID | None:
    """Return the id a page starts before. Raises ``BadCursor``."""
    return UUID(str(cursors.decode(listing, cursor)[0])) if cursor else None
