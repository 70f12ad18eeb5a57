"""Random histories against a model so small that one can see it is right.

Short in ``scripts/test``; with ``PROVE=1`` as many and as long as ``scripts/prove`` asks for.
"""

import itertools
import os
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from booking_world import Citizen, World, outcome
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from citizen_cloud.booking import services
from citizen_cloud.booking.rules import HOLDING, Quota
from citizen_cloud.booking.services import taking
from citizen_cloud.errors import Refusal

PROVE = bool(os.environ.get("PROVE"))
CAPACITIES = (2, 3, 6, 6)
PEOPLE = 2
# In one window, on its edge, and behind it: where rolling quotas go wrong.
DAY = st.sampled_from((0, 3, 6, 7, 10, 14))
DAYS = 7
MOST = 2
MONDAY = date(2020, 2, 17)


@dataclass(frozen=True)
class Window:
    """Its name, the first day still taken in it, and where the one before it ended."""

    name: int
    began: int
    floor: int | None = None


@dataclass
class Made:
    """One booking as the model knows it."""

    id: UUID
    person: int
    slot: int
    quantity: int
    day: int
    window: int
    status: str
    held_until: datetime | None


class Model:
    """What the kernel promises, in plain Python."""

    def __init__(self) -> None:
        self.capacity = list(CAPACITIES)
        self.bookings: list[Made] = []
        self.windows: dict[int, Window] = {}
        self.now = datetime.now(UTC)

    def holding(self, **facts: Any) -> list[Made]:
        found = [made for made in self.bookings if made.status in HOLDING]
        return [made for made in found if all(getattr(made, k) == v for k, v in facts.items())]

    def taken(self, slot: int) -> int:
        return sum(made.quantity for made in self.holding(slot=slot))

    def used(self, person: int) -> int:
        if person not in self.windows:
            return 0
        window = self.windows[person].name
        return sum(made.quantity for made in self.holding(person=person, window=window))

    def window_for(self, person: int, day: int, quantity: int) -> Window | None:
        """Return the window after this taking, or nothing when the quota refuses."""
        if person not in self.windows:
            return Window(day, day) if quantity <= MOST else None
        window, used = self.windows[person], self.used(person)
        if window.floor is not None and day < window.floor:
            return None
        ends = window.began + DAYS
        if used == 0 or day >= ends:
            floor = ends if used and day >= ends else window.floor
            return Window(day, day, floor) if quantity <= MOST else None
        return window if used + quantity <= MOST else None

    def give_back(self, made: Made, status: str) -> None:
        """Free a booking; a window whose first day is gone begins with the next one taken."""
        made.status = status
        window = self.windows[made.person]
        if made.window == window.name:
            left = self.holding(person=made.person, window=made.window)
            began = min((m.day for m in left if m.day >= window.began), default=window.began)
            self.windows[made.person] = replace(window, began=began)

    def answer(self, person: int, slot: int, quantity: int, day: int) -> str:
        if self.holding(person=person, slot=slot):
            return "already_booked"
        if self.taken(slot) + quantity > self.capacity[slot]:
            return "full"
        if self.window_for(person, day, quantity) is None:
            return "limit_reached"
        return "booked"


class Machine(RuleBasedStateMachine):
    """Two people, four slots, one quota; the world is given by the test."""

    world: World
    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.world.begin()
        self.model = Model()
        self.people: list[Citizen] = self.world.citizens(PEOPLE)
        self.slots = [self.world.slot(capacity) for capacity in CAPACITIES]
        self.keys: dict[str, Made] = {}

    @rule(
        target=made,
        person=st.integers(0, PEOPLE - 1),
        slot=st.integers(0, len(CAPACITIES) - 1),
        quantity=st.sampled_from((1, 2, 2, 3)),
        day=DAY,
        held=st.booleans(),
    )
    def take(self, person: int, slot: int, quantity: int, day: int, *, held: bool) -> Made | None:
        key = f"key-{len(self.keys)}"
        expected = self.model.answer(person, slot, quantity, day)
        result = self.ask(person, slot, quantity, day, key, held=held)
        assert outcome(result) == expected
        if expected != "booked":
            return None
        window = self.model.window_for(person, day, quantity)
        assert window is not None
        self.model.windows[person] = window
        row = result.row
        new = Made(row.id, person, slot, quantity, day, window.name, row.status, row.held_until)
        self.model.bookings.append(new)
        self.keys[key] = new
        return new

    def ask(self, person: int, slot: int, quantity: int, day: int, key: str, *, held: bool) -> Any:
        facts = {
            "key": key,
            "quantity": quantity,
            "now": self.model.now,
            "quota": Quota(
                scope="masks",
                period="rolling",
                max=MOST,
                day=MONDAY + timedelta(days=day),
                rolling_days=DAYS,
            ),
        }
        take = self.world.hold if held else self.world.book
        try:
            return take(self.people[person], self.slots[slot], **facts)  # type: ignore[operator]
        except Refusal as refusal:
            return refusal

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def retry(self, data: Any) -> None:
        key = data.draw(st.sampled_from(sorted(self.keys)))
        made = self.keys[key]
        result = self.ask(made.person, made.slot, made.quantity, made.day, key, held=False)
        assert outcome(result) == "replayed"
        assert (result.booking_id, result.row.status) == (made.id, made.status)

    @rule(made=made)
    def cancel(self, made: Made | None) -> None:
        answers = {"held": "changed", "booked": "changed", "cancelled": "unchanged"}
        self.change(services.cancel, made, answers, "cancelled")

    @rule(made=made)
    def check_in(self, made: Made | None) -> None:
        answers = {"booked": "changed", "fulfilled": "already_redeemed"}
        self.change(services.check_in, made, answers, "fulfilled")

    @rule(made=made)
    def undo(self, made: Made | None) -> None:
        self.change(services.undo_check_in, made, {"fulfilled": "changed"}, "booked")

    @rule(made=made)
    def confirm(self, made: Made | None) -> None:
        answers = {"held": "changed", "booked": "unchanged", "expired": "hold_expired"}
        if made and made.held_until and made.held_until <= self.model.now:
            answers["held"] = "hold_expired"
        self.change(services.confirm, made, answers, "booked")

    def change(self, verb: Any, made: Made | None, answers: dict[str, str], target: str) -> None:
        if made is None:
            return
        facts = {"booking_id": made.id, "actor": services.SYSTEM, "now": self.model.now}
        try:
            result: Any = self.world.do(verb, **facts)
        except Refusal as refusal:
            result = refusal
        assert outcome(result) == answers.get(made.status, "state_conflict")
        if outcome(result) != "changed":
            return
        if target == "cancelled":
            self.model.give_back(made, target)
        else:
            made.status = target

    @rule(minutes=st.integers(1, 6))
    def time_passes(self, minutes: int) -> None:
        self.model.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        for number, slot in enumerate(self.slots):
            lapsed = [
                made
                for made in self.model.holding(slot=number, status="held")
                if made.held_until and made.held_until <= self.model.now
            ]
            freed = self.world.do(services.expire_holds, slot_id=slot, now=self.model.now)
            assert freed == len(lapsed)
            for made in lapsed:
                self.model.give_back(made, "expired")

    @rule(slot=st.integers(0, len(CAPACITIES) - 1), capacity=st.integers(0, 6))
    def resize(self, slot: int, capacity: int) -> None:
        fits = self.model.taken(slot) <= capacity
        wanted = {self.slots[slot]: capacity}
        done = self.world.do(services.resize_slots, capacities=wanted, actor=services.SYSTEM)
        assert bool(done) == fits
        if fits:
            self.model.capacity[slot] = capacity

    @invariant()
    def counters_agree(self) -> None:
        for number, slot in enumerate(self.slots):
            assert self.world.taken(slot) == self.model.taken(number)
        for number, citizen in enumerate(self.people):
            assert self.world.used(citizen) == self.model.used(number)

    @invariant()
    def no_window_of_seven_days_holds_more_than_it_may(self) -> None:
        """The promise itself, whatever the windows are: full takings lie seven days apart."""
        for person in range(PEOPLE):
            days = [m.day for m in self.model.holding(person=person) if m.quantity == MOST]
            days.sort()
            assert all(b - a >= DAYS for a, b in itertools.pairwise(days))

    def teardown(self) -> None:
        assert self.world.differences() == []


@pytest.mark.timeout(1_200)
def test_random_histories_never_leave_the_model(world: World) -> None:
    Machine.world = world
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=600 if PROVE else 40,
            stateful_step_count=60 if PROVE else 30,
            deadline=None,
            derandomize=not PROVE,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


BROKEN = {
    "that_counts_each_taking_alone": ("ELSE x.used + excluded.used END", "ELSE excluded.used END"),
    "that_forgets_its_floor": (
        "WHEN excluded.window_from < x.floor_on THEN excluded.max + 1",
        "",
    ),
}


@pytest.mark.parametrize("fault", list(BROKEN)[: None if PROVE else 1])
def test_the_model_notices_a_kernel(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The control: histories that never fail on a broken kernel would prove nothing."""
    right, wrong = BROKEN[fault]
    assert right in taking.BOOK_RATIONED
    monkeypatch.setattr(taking, "BOOK_RATIONED", taking.BOOK_RATIONED.replace(right, wrong))
    Machine.world = world
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=500,
                phases=[Phase.generate],
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                database=None,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
