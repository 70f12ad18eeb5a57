"""What runs without a request: forgetting checks."""

from datetime import datetime

from citizen_cloud import db
from citizen_cloud.manifest import Job
from citizen_cloud.modules.health_code.services.checks import scans


def forget_scans(now: datetime) -> int:
    """Delete checks after 21 days; return how many. The database's clock says what is over."""
    del now
    with db.transaction() as session:
        return scans.forget(session)


JOBS = (Job(name="health_code.forget_scans", cron="17 * * * *", run=forget_scans),)
