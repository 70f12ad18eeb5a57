"""What the jobs room adds: forgetting news that was delivered long ago."""

from datetime import datetime

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.manifest import Contribution, Job, Sealed

KEEP = "7 days"


def forget_delivered(now: datetime) -> int:
    """Delete outbox rows that are over for a week; return how many."""
    with db.transaction() as session:
        result = session.execute(
            text(
                "DELETE FROM jobs.outbox "
                "WHERE done_at < cast(:now AS timestamptz) - cast(:keep AS interval)"
            ),
            {"now": now, "keep": KEEP},
        )
        return int(result.rowcount)  # type: ignore[attr-defined]


contribution = Contribution(
    name="jobs",
    jobs=(Job(name="jobs.forget_delivered", cron="41 3 * * *", run=forget_delivered),),
    sealed=(Sealed(table="jobs.outbox", column="secret", place="jobs.outbox:secret:{id}"),),
)
