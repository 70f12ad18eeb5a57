"""What runs without a request: looking among checks for copies, and forgetting checks."""

from datetime import datetime, timedelta

from citizen_cloud import db
from citizen_cloud.manifest import Job
from citizen_cloud.modules.health_code.services.checks import replays, scans

# Far more than the time between two runs, so that one that failed leaves no gap.
LOOK_BACK = timedelta(minutes=30)


def find_replays(now: datetime) -> int:
    """Say of checks told of lately which of them auditors should see; return how many."""
    del now
    with db.transaction() as session:
        return replays.find(session, back=LOOK_BACK)


def forget_scans(now: datetime) -> int:
    """Delete checks after 21 days; return how many. The database's clock says what is over."""
    del now
    with db.transaction() as session:
        return scans.forget(session)


JOBS = (
    Job(name="health_code.find_replays", cron="*/5 * * * *", run=find_replays),
    Job(name="health_code.forget_scans", cron="17 * * * *", run=forget_scans),
)
