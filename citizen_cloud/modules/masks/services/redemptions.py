"""Hand masks over, once and only once; take a hand-over back within five minutes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.identity import masked_names, people_by_document
from citizen_cloud.booking import services as kernel
from citizen_cloud.booking.refusals import AlreadyRedeemed
from citizen_cloud.booking.services import Actor
from citizen_cloud.credentials import services as credentials
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.masks.queries import counter as queries
from citizen_cloud.modules.masks.queries.counter import Collection
from citizen_cloud.modules.masks.rules.refusals import OutsideWindow, UndoTooLate, WrongOutlet
from citizen_cloud.modules.masks.rules.windows import UNDO_FOR
from citizen_cloud.modules.masks.services import looks
from citizen_cloud.web.caller import Grant

VOUCHER = "voucher"


@dataclass(frozen=True, kw_only=True)
class Presented:
    """What lies on the counter: the code, or the reference together with the document."""

    code: str | None = None
    reference: str | None = None
    document_number: str | None = None


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """What the clerk hands over, and until when it can be taken back."""

    id: UUID
    collection: Collection
    masked_name: str
    redeemed_at: datetime

    @property
    def undo_until(self) -> datetime:
        """Return the end of the five minutes."""
        return self.redeemed_at + UNDO_FOR


_INSERT = text(
    """
    INSERT INTO masks.redemption (booking_id, organisation_id, method, redeemed_by, redeemed_at)
    VALUES (:booking, :organisation, :method, :actor,
            coalesce(cast(:now AS timestamptz), statement_timestamp()))
    RETURNING id, redeemed_at
    """
)


def redeem(
    session: Session,
    *,
    presented: Presented,
    grant: Grant,
    actor: Actor,
    now: datetime | None = None,
) -> HandOver:
    """Hand a booked share over at the booked outlet, in its window, to its holder.

    Of two clerks at once one does it; the other gets ``AlreadyRedeemed`` with the time. Raises
    ``NotFound`` where reference and document do not belong together, ``WrongOutlet``,
    ``OutsideWindow``, ``WrongState``, and what the verifier says of a code.
    """
    found = _presented(session, presented, grant, actor, now)
    _check(found, grant)
    by_document = presented.code is None
    looks.note_hand_over(session, found, actor=actor, by_document=by_document, now=now)
    kernel.check_in(session, booking_id=found.booking_id, actor=actor, now=now)
    row = session.execute(
        _INSERT,
        {
            "booking": found.booking_id,
            "organisation": found.organisation_id,
            "method": "code" if presented.code else "reference",
            "actor": actor.id,
            "now": now,
        },
    ).one()
    names = masked_names(session, [found.person_id])
    return HandOver(
        id=row.id,
        collection=found,
        masked_name=names.get(found.person_id, ""),
        redeemed_at=row.redeemed_at,
    )


def _check(found: Collection, grant: Grant) -> None:
    if not grant.covers(found.organisation_id):
        raise WrongOutlet
    if found.redeemed_at is not None:
        raise AlreadyRedeemed(redeemed_at=found.redeemed_at)
    if not found.begun or found.over:
        raise OutsideWindow(starts_at=found.starts_at, ends_at=found.ends_at)


def _presented(
    session: Session, presented: Presented, grant: Grant, actor: Actor, now: datetime | None
) -> Collection:
    """Return the booking; a wrong reference, a wrong document and no booking look the same."""
    if presented.code is not None:
        verified = credentials.verify(session, code=presented.code, type=VOUCHER, now=now)
        found = queries.collection(session, booking_id=verified.subject_id, reference=None, now=now)
    else:
        people = people_by_document(session, None, presented.document_number or "")
        reference = (presented.reference or "").upper()
        found = queries.collection(session, booking_id=None, reference=reference, now=now)
        if found is not None and found.person_id not in people:
            raise looks.refused(found, grant, actor=actor, now=now)
    if found is None:
        raise NotFound
    return found


_UNDO = text(
    """
    UPDATE masks.redemption
       SET undone_by = :actor,
           undone_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id
    """
)


def undo(
    session: Session,
    *,
    redemption_id: UUID,
    grant: Grant,
    actor: Actor,
    now: datetime | None = None,
) -> UUID:
    """Take a hand-over back; the booking can be collected again. Twice is as good as once.

    Returns the booking's id. Raises ``NotFound`` for another outlet's, ``UndoTooLate``.
    """
    row = queries.redemption(session, redemption_id, now)
    if row is None or not grant.covers(row["organisation_id"]):
        raise NotFound
    booking_id: UUID = row["booking_id"]
    if row["undone_at"] is not None:
        return booking_id
    if not row["is_fresh"]:
        raise UndoTooLate(redeemed_at=row["redeemed_at"])
    kernel.undo_check_in(session, booking_id=booking_id, actor=actor, now=now)
    session.execute(_UNDO, {"id": redemption_id, "actor": actor.id, "now": now})
    return booking_id
