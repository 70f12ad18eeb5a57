"""What this room lets several people decide: that a module and what it holds are destroyed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from citizen_cloud.booking.services.ending import bookings_ahead
from citizen_cloud.errors import Conflict, NotFound
from citizen_cloud.manifest import DecisionKind, Proposal, Terms
from citizen_cloud.privacy import owners
from citizen_cloud.registry import purging
from citizen_cloud.text import Text
from citizen_cloud.web.fields import Str
from citizen_cloud.web.schemas import Incoming


class BookingsAhead(Conflict):
    """Somebody holds a place in the service whose time has not passed."""

    code = "bookings_ahead"
    title = Text("仍有未到期的预约", "Bookings ahead")
    detail = Text(
        "该服务仍有未到期的预约，待其过期或取消后方可清除。",
        "There are bookings of this service still to come; it is purged when they are over or "
        "cancelled.",
    )


class ModulePurgeSchema(Incoming):
    """Which service comes to its end."""

    module = Str(required=True, max_length=32, metadata={"example": "health_code"})


def check_purge(session: Session, proposal: Proposal, now: datetime) -> Terms:
    """Refuse a module that says nothing of its end, is not in sunset, is gone, or is waited for."""
    del now
    name = proposal.payload["module"]
    if name not in owners.current().endings:
        raise NotFound
    purging.check_sunset(session, name)
    ahead = bookings_ahead(session, module=name)
    if ahead:
        raise BookingsAhead(bookings=ahead)
    return Terms(summary={"module": name})


def apply_purge(session: Session, proposal: Proposal, now: datetime) -> Mapping[str, Any]:
    """Order the purge; the job carries it out."""
    name = proposal.payload["module"]
    found = purging.order(session, module=name, approval_id=proposal.id, now=now)
    return {"purge_id": found.id}


DECISIONS = (
    DecisionKind(
        name="privacy.purge_module",
        title=Text("清除服务及其全部数据", "Destroy a service with all it holds"),
        permission="portal.modules.manage",
        payload=ModulePurgeSchema,
        reasons={
            "purpose_ended": Text("处理目的已实现", "The purpose has ended"),
            "basis_ended": Text("法律依据已终止", "The legal basis has ended"),
        },
        check=check_purge,
        apply=apply_purge,
    ),
)
