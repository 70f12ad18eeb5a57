"""What the web room adds: forgetting old idempotent answers after a day."""

from datetime import datetime

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.manifest import Contribution, Job

KEEP = "24 hours"


def forget_answers(now: datetime) -> int:
    """Delete stored answers older than a day; return how many."""
    with db.transaction() as session:
        result = session.execute(
            text(
                "DELETE FROM web.idempotent_answer "
                "WHERE created_at < cast(:now AS timestamptz) - cast(:keep AS interval)"
            ),
            {"now": now, "keep": KEEP},
        )
        return int(result.rowcount)  # type: ignore[attr-defined]


contribution = Contribution(
    name="web", jobs=(Job(name="web.forget_answers", cron="17 * * * *", run=forget_answers),)
)
