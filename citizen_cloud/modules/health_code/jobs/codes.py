"""What runs without a request: codes that end with a link or a consent, phones, forgetting."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud import db
from citizen_cloud.accounts.rules.consents import HEALTH_CODE
from citizen_cloud.accounts.services.consents import WITHDRAWN
from citizen_cloud.credentials.services.reissuing import REISSUED
from citizen_cloud.families.services.writing import ENDED
from citizen_cloud.manifest import Event, Handler, Job, Together
from citizen_cloud.messages.services import notify
from citizen_cloud.modules.health_code.services.codes import (
    consent_ends,
    link_ends,
    papers,
    phone_news,
    renewal_news,
    shares,
)
from citizen_cloud.modules.health_code.services.codes.acting import SCOPE


def link_ended(session: Session, event: Event, now: datetime) -> None:
    """End what was given to somebody who may no longer act for a person."""
    del now
    if SCOPE in event.payload["kept"]:
        return
    link_ends.end_given(session, link_id=UUID(event.payload["link_id"]))


def consent_withdrawn(session: Session, event: Event, now: datetime) -> None:
    """End what was given out by a consent that was taken back."""
    del now
    if event.payload["purpose"] == HEALTH_CODE:
        consent_ends.end_given(session, account_id=UUID(event.payload["account_id"]))


def tell_of_phone(session: Session, event: Event, now: datetime) -> None:
    """Tell an account that a phone of it was registered or reported lost."""
    notify(session, note=phone_news.note_of(event), now=now)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        ENDED: link_ended,
        WITHDRAWN: consent_withdrawn,
        REISSUED: Together(renewal_news.tell_renewed),
        **dict.fromkeys(phone_news.ABOUT, tell_of_phone),
    }
)


def forget_codes(now: datetime) -> int:
    """Delete shares a day after their end and papers half a year after theirs; return how many.

    The database's clock says what is over.
    """
    del now
    with db.transaction() as session:
        return shares.forget(session) + papers.forget(session)


JOBS = (Job(name="health_code.forget_codes", cron="41 4 * * *", run=forget_codes),)
