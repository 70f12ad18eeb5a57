"""What the room does by itself: publish the snapshot, end keys of phones that left, forget."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.credentials.services.devices import end_device_keys
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Event, Job

KEEP = "180 days"
# Codes of a day, and thin ones of 0.3.0: by then every scan made offline has been uploaded.
KEEP_HELD = "2 days"

# So many at once: a city forgets millions a night, and nobody waits for that.
MOST = 10_000

_FORGET = tuple(
    text(
        f"""
        DELETE FROM credentials.credential WHERE jti = ANY(ARRAY(
            SELECT jti FROM credentials.credential
             WHERE type {which} AND expires_at < cast(:now AS timestamptz) - interval '{keep}'
             ORDER BY expires_at LIMIT :most))
        """  # noqa: S608 - put together from constants
    )
    for which, keep in (("IN ('hc', 'ht')", KEEP_HELD), ("NOT IN ('hc', 'ht')", KEEP))
)
_FORGET_CHALLENGES = text("DELETE FROM credentials.device_challenge WHERE expires_at < :now")


def publish_snapshot(now: datetime) -> int:
    """Sign what verifiers work from; the database's clock decides what is so now."""
    del now
    with db.transaction() as session:
        publish(session)
    return 1


def forget_expired(now: datetime) -> int:
    """Delete records of codes that ended long ago; return how many.

    Such a code is expired by its own signature, so nothing is accepted for want of its record.
    """
    with db.transaction() as session:
        session.execute(_FORGET_CHALLENGES, {"now": now})
    return sum(_forget(statement, now) for statement in _FORGET)


def _forget(statement: TextClause, now: datetime) -> int:
    """Delete in small transactions: stopped anywhere, the next run goes on there."""
    forgotten = 0
    while True:
        with db.transaction() as session:
            done = rows_changed(session, statement, {"now": now, "most": MOST})
        forgotten += done
        if done < MOST:
            return forgotten


def sign_ins_ended(session: Session, event: Event, now: datetime) -> None:
    """End the keys of phones on which nobody is signed in any more, and the codes on them."""
    del now
    account_id = UUID(event.payload["account_id"])
    end_device_keys(session, account_id=account_id, reason="removed", only_signed_out=True)


HANDLERS = {
    "accounts.sign_ins_ended": sign_ins_ended,
    "accounts.phone_changed": sign_ins_ended,
    "accounts.phone_given_up": sign_ins_ended,
    "accounts.recovered": sign_ins_ended,
}
JOBS = (
    # The last field is the seconds.
    Job(name="credentials.publish_snapshot", cron="* * * * * */30", run=publish_snapshot),
    Job(name="credentials.forget_expired", cron="23 4 * * *", run=forget_expired),
)
