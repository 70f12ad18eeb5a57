"""Who looks at whom at the counter, and by which right: an open booking there."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.data_access import Look, note_access, note_list
from citizen_cloud.booking.services import Actor
from citizen_cloud.errors import NotFound, Refusal
from citizen_cloud.modules.masks.queries.counter import Collection
from citizen_cloud.web.caller import Grant

REDEEM = "masks.redeem"
DAY = "masks.day_list"
SEEN = ("name", "bookings")


def require_basis(found: Collection, grant: Grant) -> UUID:
    """Return the booking that lets this counter see the person, or raise ``NotFound``.

    A booking here that is open, or was until a day ago: questions come the day after.
    """
    if not grant.covers(found.organisation_id) or not found.is_basis:
        raise NotFound
    return found.booking_id


def has_basis(found: Collection, grant: Grant) -> bool:
    """Return whether this counter may see the person of a booking."""
    try:
        require_basis(found, grant)
    except NotFound:
        return False
    return True


def note_hand_over(
    session: Session, found: Collection, *, actor: Actor, by_document: bool, now: datetime | None
) -> None:
    """Note that a clerk saw the holder of a booking."""
    note_access(session, _look(found, actor, by_document=by_document), now=now)


def refused(found: Collection, grant: Grant, *, actor: Actor, now: datetime | None) -> Refusal:
    """Return the refusal of a document that is not the holder's.

    The holder of a booking here is told of the attempt; the refusal is the same for everybody.
    """
    answer = NotFound()
    if not has_basis(found, grant):
        return answer
    look = _look(found, actor, by_document=True, outcome="refused")
    return answer.but_record(partial(note_access, look=look, now=now))


def note_day(session: Session, shown: Sequence[Collection], *, actor: Actor) -> None:
    """Note whose masked names a clerk saw in the day's list."""
    note_list(session, [_look(one, actor, purpose=DAY) for one in shown])


def _look(
    found: Collection,
    actor: Actor,
    *,
    purpose: str = REDEEM,
    by_document: bool = False,
    outcome: str = "read",
) -> Look:
    return Look(
        person_id=found.person_id,
        reader_kind=actor.kind,
        reader_id=actor.id,
        organisation_id=found.organisation_id,
        purpose=purpose,
        categories=("document", *SEEN) if by_document else SEEN,
        basis_type="booking",
        basis_id=found.booking_id,
        outcome="refused" if outcome == "refused" else "read",
    )
