"""What the audit room adds: the sealer, at most a second behind, and who may read."""

from datetime import datetime

from citizen_cloud import db
from citizen_cloud.audit.services import seal
from citizen_cloud.manifest import Contribution, Job


def seal_entries(now: datetime) -> int:
    """Chain what was written since the last run; return how many entries."""
    del now
    with db.transaction() as session:
        return seal(session)


contribution = Contribution(
    name="audit", jobs=(Job(name="audit.seal", cron="@pulse", run=seal_entries),)
)
