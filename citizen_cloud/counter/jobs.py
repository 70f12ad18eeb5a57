"""Scheduled work of the counter room."""

from datetime import datetime

from citizen_cloud import db
from citizen_cloud.counter.services import ending


def expire_cases(now: datetime) -> int:
    """End what nobody decided in time, a batch in a transaction; return how many.

    The database's clock decides: a worker whose clock runs fast ends nothing early.
    """
    del now
    ended = 0
    while True:
        with db.transaction() as session:
            batch = ending.expire_due(session)
        ended += batch
        if batch < ending.MOST:
            return ended


def forget_contents(now: datetime) -> int:
    """Blank the contents of cases that ended 90 days ago; return how many."""
    del now
    with db.transaction() as session:
        return ending.forget_contents(session)
