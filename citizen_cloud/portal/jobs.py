"""Scheduled work of the portal: the day's head of the audit chain."""

from datetime import datetime

from citizen_cloud import db
from citizen_cloud.manifest import Job
from citizen_cloud.portal import heads


def publish_head(now: datetime) -> int:
    """Publish the present head; return 1 where there is one."""
    del now
    with db.transaction() as session:
        return 0 if heads.publish(session) is None else 1


# Just before the city's midnight, which is 16:00 in UTC.
JOBS = (Job(name="portal.publish_head", cron="55 15 * * *", run=publish_head),)
