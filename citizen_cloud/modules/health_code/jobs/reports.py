"""What becomes of reported facts once their source has its answer."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.manifest import Event, Handler, Job
from citizen_cloud.modules.health_code.jobs.portions import in_portions
from citizen_cloud.modules.health_code.services.reports import placing


def received(session: Session, event: Event, now: datetime) -> None:
    """Append what a batch says of the people who are here."""
    placing.apply(session, batch_id=UUID(event.payload["batch_id"]), now=now)


HANDLERS: Mapping[str, Handler] = MappingProxyType({placing.RECEIVED: received})


def match_unplaced(now: datetime) -> int:
    """Append what was kept aside of people who came since; return how many were settled."""
    del now
    return in_portions(placing.match, most=placing.MOST)


def forget_unplaced(now: datetime) -> int:
    """Delete what named nobody for fourteen days. The database's clock says what is over."""
    del now
    with db.transaction() as session:
        return placing.forget(session)


JOBS: tuple[Job, ...] = (
    Job(name="health_code.match_unplaced", cron="*/5 * * * *", run=match_unplaced),
    Job(name="health_code.forget_unplaced", cron="23 * * * *", run=forget_unplaced),
)
