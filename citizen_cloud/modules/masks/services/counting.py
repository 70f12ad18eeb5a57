"""Write the numbers of a stock file: outlets, new offers, new counts."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.booking import services as kernel
from citizen_cloud.booking.services import Actor
from citizen_cloud.modules.masks.files.stock import Stock
from citizen_cloud.modules.masks.rules.report import Fault
from citizen_cloud.modules.masks.rules.windows import window
from citizen_cloud.modules.masks.services.known import Known
from citizen_cloud.modules.masks.services.slots import NewOffer, add_offers
from citizen_cloud.organisations.services import NewPlace, upsert_places
from citizen_cloud.text import Text


class Counting:
    """One round of one file, in the caller's savepoint; ``changed_rows`` says what it did."""

    def __init__(
        self, session: Session, *, known: Known, actor: Actor, progress: Callable[[str], None]
    ) -> None:
        self._session = session
        self._known = known
        self._actor = actor
        self._progress = progress
        self.changed_rows: set[int] = set()

    def apply(self, stocks: list[Stock]) -> list[Fault]:
        """Write rows that were examined; return those that bookings overtook meanwhile.

        New counts come last, so that the slots' locks are held only briefly.
        """
        if self._known.may_create:
            self._write_places(stocks)
        new = [one for one in stocks if self._known.standing(one) is None]
        offers = [_offer(self._known, one) for one in new]
        add_offers(self._session, offers=offers, actor=self._actor)
        self.changed_rows.update(one.row for one in new)
        self._progress(f"{len(new)} offers published")
        return self._write_numbers(stocks)

    def _write_places(self, stocks: list[Stock]) -> None:
        described = {one.code: one for one in stocks if one.outlet is not None}
        places = [_new_place(one) for one in described.values()]
        written = upsert_places(self._session, places=places)
        changed = {place.code for place in written if place.change != "unchanged"}
        self.changed_rows.update(one.row for one in stocks if one.code in changed)
        self._progress(f"{len(changed)} of {len(written)} outlets created or changed")
        self._known.read_places({one.code for one in stocks})

    def _write_numbers(self, stocks: list[Stock]) -> list[Fault]:
        known = [(one, row) for one in stocks if (row := self._known.standing(one)) is not None]
        changed = [(one, row) for one, row in known if row["capacity"] != one.capacity]
        wanted = {row["slot_id"]: one.capacity for one, row in changed}
        done = kernel.resize_slots(self._session, capacities=wanted, actor=self._actor)
        self._write_times(known)
        self.changed_rows.update(one.row for one, _ in changed)
        self._progress(f"{len(done)} numbers changed")
        return [
            Fault(row=one.row, column=one.column, code="below_reserved")
            for one, row in changed
            if row["slot_id"] not in done
        ]

    def _write_times(self, known: list[tuple[Stock, dict[str, Any]]]) -> None:
        """Note when stock was counted: the file's time, else now where the number is new."""
        times: dict[UUID, Any] = {
            row["slot_id"]: one.counted_at
            for one, row in known
            if (one.counted_at is None and row["capacity"] != one.capacity)
            or (one.counted_at is not None and one.counted_at != row["counted_at"])
        }
        self._session.execute(_COUNTED, {"ids": list(times), "at": list(times.values())})


_COUNTED = text(
    """
    UPDATE masks.offer f SET counted_at = coalesce(c.at, statement_timestamp())
      FROM unnest(cast(:ids AS uuid[]), cast(:at AS timestamptz[])) AS c (id, at)
     WHERE f.slot_id = c.id
    """
)


def _offer(known: Known, one: Stock) -> NewOffer:
    place, found = known.place(one), known.campaign(one)
    if place is None or isinstance(found, str):
        raise RuntimeError(f"row {one.row} was examined and has no outlet or campaign")
    starts_at, ends_at = window(one.window_on, *found.hours(one.half))
    return NewOffer(
        place=place,
        campaign=found,
        window_on=one.window_on,
        half=one.half,
        starts_at=starts_at,
        ends_at=ends_at,
        capacity=one.capacity,
        counted_at=one.counted_at,
    )


def _new_place(one: Stock) -> NewPlace:
    outlet = one.outlet
    if outlet is None:
        raise RuntimeError(f"row {one.row} describes no outlet")
    return NewPlace(
        kind="pharmacy",
        register=one.register or "city",
        code=one.code,
        name=Text(outlet.name, outlet.name),
        address=outlet.address,
        phone=outlet.phone,
        county=outlet.county,
        town=outlet.town,
    )
