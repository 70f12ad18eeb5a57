"""Work that is done in portions, each in a transaction of its own, until nothing is left."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from citizen_cloud import db


def in_portions(work: Callable[[Session], int], *, most: int) -> int:
    """Repeat until a portion is smaller than ``most``; return how many that were in all."""
    done = 0
    while True:
        with db.transaction() as session:
            count = work(session)
        done += count
        if count < most:
            return done
