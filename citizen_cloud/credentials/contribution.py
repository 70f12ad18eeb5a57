"""What the credentials room adds: forgetting codes that are long over."""

from datetime import datetime

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.manifest import Contribution, Job

KEEP = "180 days"


def forget_expired(now: datetime) -> int:
    """Delete records of codes that ended half a year ago; return how many.

    Such a code is expired by its own signature, so nothing is accepted for want of its record.
    """
    with db.transaction() as session:
        result = session.execute(
            text(
                "DELETE FROM credentials.credential "
                "WHERE expires_at < cast(:now AS timestamptz) - cast(:keep AS interval)"
            ),
            {"now": now, "keep": KEEP},
        )
        return int(result.rowcount)  # type: ignore[attr-defined]


contribution = Contribution(
    name="credentials",
    jobs=(Job(name="credentials.forget_expired", cron="23 4 * * *", run=forget_expired),),
)
