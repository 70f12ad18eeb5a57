"""What runs for places without a request: old visits deleted, visitors told, records opened."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.manifest import DecisionKind, Event, Handler, Job
from citizen_cloud.modules.health_code.schemas.openings import HealthVisitWindowSchema
from citizen_cloud.modules.health_code.services.places import opened_visits, openings, sealed_visits
from citizen_cloud.text import Text

MOST = 2_000


def delete_old_visits(now: datetime) -> int:
    """Delete visits after 21 days, in batches; the database's clock says which."""
    del now
    deleted = 0
    while True:
        with db.transaction() as session:
            count = sealed_visits.purge(session, most=MOST)
        deleted += count
        if count < MOST:
            return deleted


def forget_openings(now: datetime) -> int:
    """Delete what was opened half a year ago."""
    del now
    with db.transaction() as session:
        return openings.forget_old(session)


def tell_visitors(session: Session, event: Event, now: datetime) -> None:
    """Tell the next of those who were at a place."""
    after = event.payload["after"]
    opened_visits.tell_some(
        session,
        opening_id=UUID(event.payload["opening_id"]),
        after=UUID(after) if after else None,
        now=now,
    )


HANDLERS: dict[str, Handler] = {opened_visits.TO_TELL: tell_visitors}
JOBS = (
    Job(name="health_code.delete_old_visits", cron="7 * * * *", run=delete_old_visits),
    Job(name="health_code.forget_openings", cron="17 3 * * *", run=forget_openings),
)
DECISIONS = (
    DecisionKind(
        name=openings.KIND,
        title=Text("查阅场所到访记录", "Open the visits of a place"),
        permission="health_code.visits.open",
        payload=HealthVisitWindowSchema,
        reasons={
            "contact_tracing": Text("密切接触者追踪", "Finding contacts of a case"),
            "outbreak_source": Text("聚集性疫情溯源", "Finding the source of an outbreak"),
        },
        check=openings.check,
        apply=openings.apply,
        bars=openings.bars,
    ),
)
