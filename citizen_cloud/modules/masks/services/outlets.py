"""What an outlet decides for itself: how much it has, and whether it hands out at present."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.booking import services as kernel
from citizen_cloud.booking.services import Actor
from citizen_cloud.errors import NotFound
from citizen_cloud.modules.masks.queries import stock as queries
from citizen_cloud.modules.masks.queries.stock import OutletOffer
from citizen_cloud.modules.masks.rules.refusals import OutletClosed
from citizen_cloud.modules.masks.services.campaigns import shared
from citizen_cloud.modules.masks.services.slots import MODULE, align, places
from citizen_cloud.organisations import services as organisations
from citizen_cloud.web.caller import Grant

# Kept as the reason of a booking, so that its holder is told.
OUTLET_LEFT = "outlet_closed"


def change_offer(
    session: Session,
    *,
    offer_id: UUID,
    capacity: int | None,
    status: str | None,
    grant: Grant,
    actor: Actor,
) -> OutletOffer:
    """Count an offer's stock anew, pause it or open it again.

    Somebody else's offer looks absent (``NotFound``). Raises ``BelowReserved`` where more is
    reserved than the new count: bookings are promises.
    """
    found = queries.outlet_offer(session, offer_id)
    if found is None or not grant.covers(found.organisation_id):
        raise NotFound
    if status is not None and status != found.status:
        _set_status(session, found, status, actor)
    if capacity is not None:
        kernel.resize_slot(session, slot_id=offer_id, capacity=capacity, actor=actor)
        session.execute(
            text("UPDATE masks.offer SET counted_at = statement_timestamp() WHERE slot_id = :id"),
            {"id": offer_id},
        )
    changed = queries.outlet_offer(session, offer_id)
    if changed is None:
        raise NotFound
    return changed


def _set_status(session: Session, found: OutletOffer, status: str, actor: Actor) -> None:
    """Hold campaign and outlet as they are, so that neither closes behind this decision."""
    places(session, [found.organisation_id])
    shared(session, found.campaign_id)
    session.execute(
        text("UPDATE masks.offer SET status = :status WHERE slot_id = :id"),
        {"id": found.offer_id, "status": status},
    )
    act = Act(
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=f"masks.offer_{status}",
        object_type="slot",
        object_id=found.offer_id,
        organisation_id=found.organisation_id,
        payload={"before": found.status},
    )
    record(session, act)
    align(session, "slot", [found.offer_id], actor=actor)


def change_outlet(
    session: Session, *, organisation_id: UUID, status: str, grant: Grant, actor: Actor
) -> str:
    """Pause a whole outlet, or open it again: no new bookings, while booked shares stay.

    Raises ``NotFound`` for somebody else's, ``OutletClosed`` where the platform closed it.
    """
    if not grant.covers(organisation_id):
        raise NotFound
    found = places(session, [organisation_id]).get(organisation_id)
    if found is None:
        raise NotFound
    if found.status == "closed":
        raise OutletClosed
    organisations.change_organisation(
        session,
        organisation_id=organisation_id,
        changes={"status": status},
        expected_version=None,
        actor=organisations.Actor(actor.kind, actor.id),
    )
    align(session, "organisation", [organisation_id], actor=actor)
    return status


_PROMISED = text(
    """
    SELECT b.id FROM booking.booking b
      JOIN booking.slot s ON s.id = b.slot_id
     WHERE s.module = :module AND s.organisation_id = :organisation AND b.status = 'booked'
       AND s.ends_at > statement_timestamp()
     ORDER BY s.id, b.id
    """
)


def follow_outlet(session: Session, *, organisation_id: UUID, actor: Actor) -> int:
    """Bring the slots in line with an outlet somebody else changed; return how many bookings fell.

    An outlet that left for good cannot keep its promises: they are released, with the quota, and
    their holders are told by the event.
    """
    found = places(session, [organisation_id]).get(organisation_id)
    if found is None:
        return 0
    align(session, "organisation", [organisation_id], actor=actor)
    if found.status != "closed":
        return 0
    values = {"module": MODULE, "organisation": organisation_id}
    promised = session.scalars(_PROMISED, values).all()
    for booking_id in promised:
        kernel.cancel(session, booking_id=booking_id, actor=actor, reason=OUTLET_LEFT)
    return len(promised)
