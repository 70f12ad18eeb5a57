"""When scheduled work runs: what is meant by seconds runs by seconds."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from procrastinate.periodic import croniter

from citizen_cloud.cli.jobs import all_jobs
from citizen_cloud.jobs.worker import PULSE

SCHEDULED = [job for job in all_jobs() if job.cron != PULSE]


def times(cron, count):
    walk = croniter.croniter(cron, datetime(2026, 3, 1, 10, 3, 30, tzinfo=UTC))
    return [walk.get_next(datetime) for _ in range(count)]


@pytest.mark.parametrize("job", SCHEDULED, ids=lambda job: job.name)
def test_work_is_spread_evenly_and_never_runs_every_second(job):
    """Six fields are read with the seconds last; the other way round they run 60 times in a row."""
    gaps = {later - earlier for earlier, later in pairwise(times(job.cron, 130))}
    assert min(gaps) >= timedelta(seconds=10)
    assert len(gaps) == 1


def test_holds_are_freed_and_bundles_made_every_ten_seconds():
    often = {job.name for job in SCHEDULED if times(job.cron, 1)[0].second == 40}
    assert {"booking.expire_holds", "privacy.build_exports"} <= often
