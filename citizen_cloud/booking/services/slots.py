"""Keep what can be taken: publish slots, size them, open and close them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.booking.refusals import BelowReserved
from citizen_cloud.booking.services.locks import lock_slots
from citizen_cloud.booking.services.moving import Actor
from citizen_cloud.errors import NotFound
from citizen_cloud.text import Text

SlotStatus = Literal["open", "closed", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSlot:
    """Something scarce to publish; the module chooses the id and may key its own rows by it."""

    id: UUID
    module: str
    organisation_id: UUID
    starts_at: datetime
    ends_at: datetime
    opens_at: datetime
    closes_at: datetime
    capacity: int
    title: Text
    place: Text
    hot: bool = False


_PUBLISH = text(
    """
    INSERT INTO booking.slot (id, module, organisation_id, starts_at, ends_at, opens_at, closes_at,
                              capacity, hot)
    SELECT * FROM unnest(
        cast(:id AS uuid[]), cast(:module AS text[]), cast(:organisation_id AS uuid[]),
        cast(:starts_at AS timestamptz[]), cast(:ends_at AS timestamptz[]),
        cast(:opens_at AS timestamptz[]), cast(:closes_at AS timestamptz[]),
        cast(:capacity AS int[]), cast(:hot AS bool[]))
    """
)
_WORDS = text(
    """
    INSERT INTO booking.slot_text (slot_id, title, place)
    SELECT id, cast(title AS jsonb), cast(place AS jsonb)
      FROM unnest(cast(:id AS uuid[]), cast(:title AS text[]), cast(:place AS text[]))
           AS t (id, title, place)
    """
)
_COLUMNS = (
    "id", "module", "organisation_id", "starts_at", "ends_at", "opens_at", "closes_at",
    "capacity", "hot",
)  # fmt: skip


def publish_slots(session: Session, *, slots: Sequence[NewSlot]) -> None:
    """Publish slots with their words, thousands in two statements; all of them or none."""
    if not slots:
        return
    session.execute(_PUBLISH, {name: [getattr(slot, name) for slot in slots] for name in _COLUMNS})
    session.execute(
        _WORDS,
        {
            "id": [slot.id for slot in slots],
            "title": [orjson.dumps(slot.title.as_json()).decode() for slot in slots],
            "place": [orjson.dumps(slot.place.as_json()).decode() for slot in slots],
        },
    )


# After the lock, in a snapshot of its own: what the lock waited for is seen.
_RESIZE = text(
    """
    UPDATE booking.slot s SET capacity = w.capacity, overcommit = 0
      FROM unnest(cast(:ids AS uuid[]), cast(:capacities AS int[])) AS w (id, capacity)
     WHERE s.id = w.id AND s.taken <= w.capacity
 RETURNING s.id, s.organisation_id, old.capacity AS before, s.taken
    """
)


def resize_slot(
    session: Session,
    *,
    slot_id: UUID,
    capacity: int,
    actor: Actor,
    now: datetime | None = None,
) -> None:
    """Change how many places there are. Raises ``BelowReserved`` rather than overcommit."""
    del now
    if resize_slots(session, capacities={slot_id: capacity}, actor=actor):
        return
    taken = session.scalar(text("SELECT taken FROM booking.slot WHERE id = :id"), {"id": slot_id})
    if taken is None:
        raise NotFound
    raise BelowReserved(taken=taken)


def resize_slots(
    session: Session, *, capacities: Mapping[UUID, int], actor: Actor
) -> frozenset[UUID]:
    """Change many capacities at once; return the slots that took theirs.

    Left out are slots that are not there, and those where more is taken than would fit: a stock
    file with one bad row does not hold up the others. Slots are locked in id order.
    """
    if not capacities:
        return frozenset()
    lock_slots(session, list(capacities))
    rows = session.execute(
        _RESIZE, {"ids": list(capacities), "capacities": list(capacities.values())}
    ).all()
    for row in rows:
        if row.before != capacities[row.id]:
            change = {"before": row.before, "after": capacities[row.id], "taken": row.taken}
            _record(session, actor, "slot.resized", row, change)
    return frozenset(row.id for row in rows)


_SET_STATUS = text(
    """
    UPDATE booking.slot SET status = :status
     WHERE id = ANY(:ids) AND status NOT IN (:status, 'cancelled')
 RETURNING id, organisation_id, old.status AS before
    """
)


def set_slot_status(
    session: Session, *, slot_ids: Sequence[UUID], status: SlotStatus, actor: Actor
) -> int:
    """Open, close or cancel slots; return how many changed. A cancelled one stays cancelled.

    Bookings stay as they are: telling their holders and cancelling them is the module's decision.
    """
    lock_slots(session, list(slot_ids))
    rows = session.execute(_SET_STATUS, {"ids": list(slot_ids), "status": status}).all()
    for row in rows:
        change = {"before": row.before, "after": status}
        _record(session, actor, f"slot.{status}", row, change)
    return len(rows)


def _record(
    session: Session, actor: Actor, action: str, slot: Row[Any], payload: Mapping[str, object]
) -> None:
    record(
        session,
        Act(
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            object_type="slot",
            object_id=slot.id,
            organisation_id=slot.organisation_id,
            payload=payload,
        ),
    )
