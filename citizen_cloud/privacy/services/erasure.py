"""Carry a closure out: shut the account, give its bookings back, erase, certify.

Three steps, each safe to repeat, so that a crash between two of them costs a minute. Erasure itself
is one transaction over all owners, from the top of the stairs to the bottom: the upper rooms find
their rows by what the lower ones hold.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.closing import shut
from citizen_cloud.audit.services import record
from citizen_cloud.booking import services as kernel
from citizen_cloud.booking.services import SYSTEM
from citizen_cloud.credentials import services as credentials
from citizen_cloud.manifest import Subject
from citizen_cloud.privacy.owners import Owners
from citizen_cloud.privacy.rules import REST
from citizen_cloud.privacy.services.certificates import certificate
from citizen_cloud.privacy.services.closures import act

BECAUSE = "account_closed"

_NOW = "coalesce(cast(:now AS timestamptz), statement_timestamp())"
_DUE = text(
    f"""
    SELECT id FROM privacy.closure
     WHERE ((status = 'cooling' AND due_at <= {_NOW})
        OR (status = 'closing' AND begun_at <= {_NOW} - :rest))
       AND (cast(:after AS uuid) IS NULL OR id > :after)
     ORDER BY id LIMIT :most
    """  # noqa: S608 - a constant
)
_BEGIN = text(
    f"""
    UPDATE privacy.closure SET status = 'closing', begun_at = {_NOW}
     WHERE id = :id AND status = 'cooling' AND due_at <= {_NOW}
    RETURNING account_id
    """  # noqa: S608
)


def due(
    session: Session, *, after: UUID | None, most: int, now: datetime | None = None
) -> list[UUID]:
    """Return closures something is to be done about, in the order they were asked for."""
    asked = {"now": now, "rest": REST, "after": after, "most": most}
    return list(session.scalars(_DUE, asked))


def begin(session: Session, *, closure_id: UUID, now: datetime | None = None) -> bool:
    """Shut the account of a closure whose time to think is over; False where that was done."""
    account_id = session.scalar(_BEGIN, {"id": closure_id, "now": now})
    if account_id is None:
        return False
    shut(session, account_id=account_id, now=now)
    record(session, act("closure_begun", closure_id, None))
    return True


# The person's own places: what was booked for others is theirs.
_AHEAD = text(
    f"""
    SELECT b.id, s.module
      FROM privacy.closure c
      JOIN booking.booking b ON b.person_id = c.person_id AND b.status IN ('held', 'booked')
      JOIN booking.slot s ON s.id = b.slot_id AND s.ends_at > {_NOW}
     WHERE c.id = :id AND c.status = 'closing'
     ORDER BY b.id
    """  # noqa: S608
)


def bookings_ahead(
    session: Session, *, closure_id: UUID, now: datetime | None = None
) -> Mapping[UUID, str]:
    """Return the bookings that are to be given back, with their modules."""
    rows = session.execute(_AHEAD, {"id": closure_id, "now": now})
    return {row.id: row.module for row in rows}


def release(
    session: Session, *, booking_id: UUID, module: str, owners: Owners, now: datetime | None = None
) -> None:
    """Give one booking back; its module learns it by event, its code dies at once."""
    kernel.cancel(session, booking_id=booking_id, actor=SYSTEM, reason=BECAUSE, now=now)
    policy = owners.policies.get(module)
    if policy is not None and policy.credential is not None:
        credentials.revoke(session, type=policy.credential, subject_id=booking_id, now=now)


_TAKE = text(
    f"""
    SELECT id, account_id, person_id, requested_at, {_NOW} AS now
      FROM privacy.closure WHERE id = :id AND status = 'closing' FOR UPDATE SKIP LOCKED
    """  # noqa: S608
)
# Stronger than a foreign key's lock: a booking under way is over, or waits and finds nobody.
_LOCK = text("SELECT 1 FROM accounts.account WHERE id = :id FOR UPDATE")
# What others say of a person under way is written and erased, or finds nobody.
_LOCK_PERSON = text("SELECT 1 FROM accounts.person WHERE id = :id FOR UPDATE")
_RELEASED = text(
    """
    SELECT count(*) FROM booking.booking
     WHERE person_id = :person_id AND status = 'cancelled' AND cancel_reason = :because
    """
)
_CLOSED = text(
    """
    UPDATE privacy.closure
       SET status = 'closed', ended_at = :now, certificate = :certificate, account_id = NULL,
           person_id = NULL, reason = NULL
     WHERE id = :id
    """
)


def finish(
    session: Session, *, closure_id: UUID, owners: Owners, now: datetime | None = None
) -> bool:
    """Erase everything an account left, and certify it.

    False where there is nothing to do, or a booking came in after the others were given back.
    """
    row = session.execute(_TAKE, {"id": closure_id, "now": now}).mappings().first()
    if row is None:
        return False
    session.execute(_LOCK, {"id": row["account_id"]})
    session.execute(_LOCK_PERSON, {"id": row["person_id"]})
    if bookings_ahead(session, closure_id=closure_id, now=now):
        return False
    released = session.scalar(_RELEASED, {"person_id": row["person_id"], "because": BECAUSE})
    erased = _erase(session, row, owners)
    revoked = credentials.revoked_keys(session)
    signed = certificate(row, owners, erased=erased, released=released or 0, revoked=revoked)
    session.execute(_CLOSED, {"id": closure_id, "now": row["now"], "certificate": signed})
    record(session, act("erased", closure_id, None))
    return True


def _erase(session: Session, row: RowMapping, owners: Owners) -> dict[str, int]:
    subject = Subject(account_id=row["account_id"], person_id=row["person_id"])
    return {
        owner.name: owner.data.erase(session, subject, row["now"])
        for owner in reversed(owners.owners)
    }
