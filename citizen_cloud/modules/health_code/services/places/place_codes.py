"""The rotating code of a place: made for its screen, checked when somebody scanned it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.errors import NotFound, Refusal
from citizen_cloud.modules.health_code.queries.places import COLUMNS, PlaceRow
from citizen_cloud.modules.health_code.rules import place_codes as rules
from citizen_cloud.modules.health_code.rules.place_refusals import (
    PlaceClosed,
    PlaceCodeElsewhere,
    PlaceCodeInvalid,
    PlaceCodeStale,
)
from citizen_cloud.modules.health_code.services.places.places import secret_place
from citizen_cloud.web.caller import Grant

FAULTS: dict[rules.Fault, type[Refusal]] = {
    "malformed": PlaceCodeInvalid,
    "forged": PlaceCodeInvalid,
    "wrong_place": PlaceCodeElsewhere,
    "stale": PlaceCodeStale,
}


@dataclass(frozen=True, kw_only=True)
class ShownCode:
    """What a screen shows now, and when to ask for the next."""

    text: str
    begins_at: datetime
    next_at: datetime
    accepted_until: datetime
    server_time: datetime


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """A code that counts: at which place, in which step, and when it was sent."""

    place: PlaceRow
    step: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class _Door:
    place: PlaceRow
    secret: bytes
    at: datetime


_DOOR = text(
    f"""
    SELECT {COLUMNS}, p.secret_sealed,
           coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at
      FROM health_code.place p WHERE p.id = :id
    """  # noqa: S608 - no values
)


def _door(session: Session, place_id: UUID, now: datetime | None) -> _Door:
    row = session.execute(_DOOR, {"id": place_id, "now": now}).mappings().first()
    if row is None:
        raise NotFound
    facts = dict(row)
    sealed, at = facts.pop("secret_sealed"), facts.pop("at")
    secret = crypto.current().open(sealed, place=secret_place(place_id))
    return _Door(place=PlaceRow(**facts), secret=bytes.fromhex(secret), at=at)


def shown_code(
    session: Session, *, place_id: UUID, grant: Grant, now: datetime | None = None
) -> ShownCode:
    """Return the code of these five minutes. Raises ``NotFound`` and ``PlaceClosed``."""
    door = _door(session, place_id, now)
    if not grant.covers(door.place.organisation_id):
        raise NotFound
    if not door.place.is_open:
        raise PlaceClosed
    step = rules.step_of(door.at)
    return ShownCode(
        text=rules.written(door.secret, place_id, step),
        begins_at=rules.begins_at(step),
        next_at=rules.begins_at(step + 1),
        accepted_until=rules.accepted_until(step),
        server_time=door.at,
    )


def scanned(session: Session, *, place_id: UUID, sent: str, now: datetime | None = None) -> Scanned:
    """Return what a code says that counts here and now; the database's clock decides.

    Raises ``NotFound``, ``PlaceClosed``, ``PlaceCodeInvalid``, ``PlaceCodeElsewhere``, and
    ``PlaceCodeStale`` for one older than the step before the present one.
    """
    door = _door(session, place_id, now)
    if not door.place.is_open:
        raise PlaceClosed
    code = rules.read(sent)
    fault = rules.fault_of(code, place_id=place_id, secret=door.secret, at=door.at)
    if code is None or fault is not None:
        raise FAULTS[fault or "malformed"]
    return Scanned(place=door.place, step=code.step, at=door.at)
