"""Bookings at the counter: one to hand over, the day's list, and who is to be reminded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.modules.masks.queries.offers import NOW
from citizen_cloud.modules.masks.rules.windows import UNDO_FOR

MOST_OF_A_DAY = 2_000
# How long after its window a booking lets the counter see who held it.
ASKED_FOR = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Collection:
    """A booking of masks as the counter sees it; what hangs on the time is by the database.

    ``is_basis``: it gives the counter a right to see the holder.
    """

    booking_id: UUID
    reference: str
    status: str
    quantity: int
    person_id: UUID
    organisation_id: UUID
    product_class: str
    window_on: date
    half: str
    starts_at: datetime
    ends_at: datetime
    begun: bool
    over: bool
    is_basis: bool
    redeemed_at: datetime | None = None


_SELECT = f"""
    SELECT b.id AS booking_id, b.reference, b.status, b.quantity, b.person_id,
           f.organisation_id, f.product_class, f.window_on, f.half, s.starts_at, s.ends_at,
           s.starts_at <= {NOW} AS begun, s.ends_at <= {NOW} AS over, r.redeemed_at,
           b.status <> 'cancelled'
           AND s.ends_at > {NOW} - interval '{ASKED_FOR.days} days' AS is_basis
      FROM booking.booking b
      JOIN booking.slot s ON s.id = b.slot_id AND s.module = 'masks'
      JOIN masks.offer f ON f.slot_id = b.slot_id
      LEFT JOIN masks.redemption r ON r.booking_id = b.id AND r.undone_at IS NULL"""  # noqa: S608


def collection(
    session: Session, *, booking_id: UUID | None, reference: str | None, now: datetime | None = None
) -> Collection | None:
    """Return the booking behind a code or a reference."""
    rows = session.execute(
        text(
            f"{_SELECT} WHERE b.id = cast(:id AS uuid)"
            if booking_id
            else f"{_SELECT} WHERE b.reference = :reference"
        ),
        {"id": booking_id, "reference": reference, "now": now},
    )
    found = rows.mappings().first()
    return Collection(**found) if found else None


def day_list(
    session: Session,
    *,
    organisation_ids: Sequence[UUID],
    on: date,
    reference: str | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
    now: datetime | None = None,
) -> list[Collection]:
    """Return the bookings to collect on a day at some outlets, in window order."""
    starts_at, booking_id = after or (None, None)
    rows = session.execute(
        text(
            f"""{_SELECT}
             WHERE f.organisation_id = ANY(:organisations) AND f.window_on = :on_day
               AND b.status IN ('booked', 'fulfilled', 'expired')
               AND (cast(:reference AS varchar) IS NULL OR starts_with(b.reference, :reference))
               AND (cast(:after AS uuid) IS NULL OR
                    (s.starts_at, b.id) > (cast(:starts_at AS timestamptz), cast(:after AS uuid)))
             ORDER BY s.starts_at, b.id LIMIT :most
            """
        ),
        {
            "organisations": list(organisation_ids),
            "on_day": on,
            "reference": reference,
            "starts_at": starts_at,
            "after": booking_id,
            "most": limit,
            "now": now,
        },
    )
    return [Collection(**row) for row in rows.mappings()]


def redemption(session: Session, redemption_id: UUID, now: datetime | None) -> RowMapping | None:
    """Return a hand-over and lock it; ``is_fresh`` is by the database's clock."""
    rows = session.execute(
        text(
            f"""
            SELECT r.id, r.booking_id, r.organisation_id, r.redeemed_at, r.undone_at,
                   r.redeemed_at + :undo_for > {NOW} AS is_fresh
              FROM masks.redemption r WHERE r.id = :id FOR UPDATE
            """  # noqa: S608
        ),
        {"id": redemption_id, "now": now, "undo_for": UNDO_FOR},
    )
    return rows.mappings().first()


def sealed_names(session: Session, person_ids: Sequence[UUID]) -> Sequence[RowMapping]:
    """Return the sealed names of some people; erased people have none."""
    rows = session.execute(
        text(
            "SELECT id, name_sealed FROM accounts.person "
            "WHERE id = ANY(:ids) AND name_sealed IS NOT NULL"
        ),
        {"ids": list(person_ids)},
    )
    return rows.mappings().all()
