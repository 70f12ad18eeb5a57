"""What citizens say of themselves, or of whom they act for: health and trips."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.errors import Invalid
from citizen_cloud.families.services.representing import purpose_of
from citizen_cloud.modules.health_code.rules.events import Kind
from citizen_cloud.modules.health_code.rules.not_given import SaidEnough
from citizen_cloud.modules.health_code.services.colours.events import NewEvent, append
from citizen_cloud.modules.health_code.services.colours.news import MODULE

# How far back a trip may lie and still be told.
OLDEST = timedelta(days=60)

# Every fold reads them all: nobody makes a past of one's own, or a child's, without bounds.
MOST_A_DAY = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Whose account says it, and by which link where it is not the person's own."""

    account_id: UUID
    link_id: UUID | None = None


def declare(
    session: Session,
    *,
    person_id: UUID,
    said: dict[str, Any],
    note: str | None,
    teller: Teller,
    now: datetime | None = None,
) -> UUID:
    """Write a health declaration; return its id. The first of a day is the day's check-in.

    Raises ``SaidEnough``, as for trips.
    """
    return _say(session, person_id, "declared", said, details=note, teller=teller, now=now)


def declare_trip(
    session: Session,
    *,
    person_id: UUID,
    said: dict[str, Any],
    number: str | None,
    teller: Teller,
    today: date,
    now: datetime | None = None,
) -> UUID:
    """Write a trip that was made; return its id. Raises ``Invalid`` for one ahead or long past."""
    departed, arrived = said["departed_on"], said["arrived_on"]
    faults = [
        {"pointer": f"/{name}", "code": code}
        for name, code, is_wrong in (
            ("arrived_on", "wrong_order", arrived < departed),
            ("arrived_on", "out_of_range", arrived > today),
            ("departed_on", "out_of_range", departed < today - OLDEST),
        )
        if is_wrong
    ]
    if faults:
        raise Invalid(errors=faults)
    plain = {**said, "departed_on": departed.isoformat(), "arrived_on": arrived.isoformat()}
    return _say(session, person_id, "trip", plain, details=number, teller=teller, now=now)


_TODAY = text(
    """
    SELECT count(*) FROM health_code.event
     WHERE person_id = :person_id AND source_kind = 'citizen'
       AND occurred_at >= date_trunc(
           'day', coalesce(cast(:now AS timestamptz), statement_timestamp()), 'Asia/Shanghai')
    """
)


def _say(
    session: Session,
    person_id: UUID,
    kind: Kind,
    said: dict[str, Any],
    *,
    details: str | None,
    teller: Teller,
    now: datetime | None,
) -> UUID:
    if session.execute(_TODAY, {"person_id": person_id, "now": now}).scalar_one() >= MOST_A_DAY:
        raise SaidEnough(most=MOST_A_DAY)
    event = NewEvent(
        person_id=person_id,
        kind=kind,
        evidence="self_report",
        payload=said,
        source_kind="citizen",
        source_id=teller.account_id,
        details=details,
    )
    append(session, [event], now=now)
    if teller.link_id is not None:
        note_access(session, _look(person_id, teller), now=now)
    return event.id


def _look(person_id: UUID, teller: Teller) -> Look:
    return Look(
        person_id=person_id,
        reader_kind="proxy",
        reader_id=teller.account_id,
        purpose=purpose_of(MODULE),
        categories=("health",),
        basis_type="link",
        basis_id=teller.link_id,
        outcome="changed",
    )
