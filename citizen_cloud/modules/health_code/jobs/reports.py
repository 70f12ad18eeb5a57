"""What becomes of reported facts once their source has its answer."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.manifest import Alone, Event, Handler, Job
from citizen_cloud.modules.health_code.jobs.portions import in_portions
from citizen_cloud.modules.health_code.services.reports import placing

log = structlog.get_logger(__name__)


def received(session: Session, event: Event, now: datetime) -> None:
    """Append what a batch says of the people who are here."""
    placing.apply(session, batch_id=UUID(event.payload["batch_id"]), now=now)


HANDLERS: Mapping[str, Handler] = MappingProxyType({placing.RECEIVED: Alone(received)})


def place_left(now: datetime) -> int:
    """Append what the news of a batch should have, and did not; return how many batches.

    One that fails keeps none of the others waiting, and is tried again for as long as it counts.
    """
    del now
    done = 0
    with db.transaction() as session:
        left = placing.left_over(session)
    for batch_id in left:
        try:
            with db.transaction() as session:
                placing.apply(session, batch_id=batch_id)
            done += 1
        except Exception as error:  # noqa: BLE001 - a batch's fault is its own
            log.warning("batch_not_placed", batch_id=str(batch_id), error=type(error).__name__)
    return done


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
    Job(name="health_code.place_left", cron="*/2 * * * *", run=place_left),
    Job(name="health_code.match_unplaced", cron="*/5 * * * *", run=match_unplaced),
    Job(name="health_code.forget_unplaced", cron="23 * * * *", run=forget_unplaced),
)
