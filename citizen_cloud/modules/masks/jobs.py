"""What runs without a request: news to holders, reminders, and stock nobody collected."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.booking import services as kernel
from citizen_cloud.booking.services import Actor
from citizen_cloud.credentials import services as credentials
from citizen_cloud.manifest import Event, Handler, Job
from citizen_cloud.modules.masks.services import notices, outlets
from citizen_cloud.modules.masks.services.redemptions import VOUCHER
from citizen_cloud.modules.masks.services.slots import MODULE

MOST = 200
SYSTEM = Actor(kind="system", id=None)


def _telling(kind: str) -> Handler:
    def handle(session: Session, event: Event, now: datetime) -> None:
        if event.payload["module"] != MODULE:
            return
        booking_id = UUID(event.payload["booking_id"])
        key = f"masks.{kind}:{event.id}"
        notices.tell(session, booking_id=booking_id, kind=kind, dedupe_key=key, now=now)

    return handle


def _ending(kind: str) -> Handler:
    """Tell the holder, and let the code die with the booking."""
    tell = _telling(kind)

    def handle(session: Session, event: Event, now: datetime) -> None:
        tell(session, event, now)
        if event.payload["module"] == MODULE:
            subject_id = UUID(event.payload["booking_id"])
            credentials.revoke(session, type=VOUCHER, subject_id=subject_id)

    return handle


def outlet_changed(session: Session, event: Event, now: datetime) -> None:
    """Open or close the slots of an outlet whose status changed elsewhere."""
    del now
    if "status" in event.payload["fields"]:
        organisation_id = UUID(event.payload["organisation_id"])
        outlets.follow_outlet(session, organisation_id=organisation_id, actor=SYSTEM)


def renewed(session: Session, event: Event, now: datetime) -> None:
    """Tell a holder whose voucher was issued anew, once for each booking and revoked key."""
    said = event.payload
    if said["type"] != VOUCHER:
        return
    key = f"masks.renewed:{said['kid']}:{said['subject_id']}"
    booking_id = UUID(said["subject_id"])
    notices.tell(session, booking_id=booking_id, kind="renewed", dedupe_key=key, now=now)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "booking.booked": _telling("booked"),
        "booking.fulfilled": _telling("fulfilled"),
        "booking.undone": _telling("undone"),
        "booking.cancelled": _ending("cancelled"),
        "booking.expired": _ending("expired"),
        "organisations.changed": outlet_changed,
        "credentials.reissued": renewed,
    }
)


def remind_holders(now: datetime) -> int:
    """Remind everybody whose window begins soon; the database's clock says what is soon."""
    reminded = 0
    while True:
        with db.transaction() as session:
            count = notices.remind(session, now=None, sent_at=now)
        reminded += count
        if count < notices.MOST:
            return reminded


def expire_unclaimed(now: datetime) -> int:
    """Return stock whose window is over; the database's clock says what is over."""
    del now
    settled = 0
    while True:
        with db.transaction() as session:
            count = kernel.expire_unclaimed(session, module=MODULE, most=MOST)
        settled += count
        if count < MOST:
            return settled


JOBS = (
    Job(name="masks.remind_holders", cron="*/10 * * * *", run=remind_holders),
    Job(name="masks.expire_unclaimed", cron="* * * * *", run=expire_unclaimed),
)
