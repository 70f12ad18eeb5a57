"""A full slot is remembered for a second, by everybody but those who hold a place in it."""

from typing import Any

import pytest
from booking_world import World, at_once, outcomes

from citizen_cloud.booking import services
from citizen_cloud.booking import sold_out as room
from citizen_cloud.booking.refusals import SlotFull
from citizen_cloud.booking.sold_out import KEEP_S, MOST_SLOTS, SoldOut
from citizen_cloud.db import new_id


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def memory(seconds: Seconds, monkeypatch: pytest.MonkeyPatch) -> SoldOut:
    memory = SoldOut(monotonic=seconds)
    monkeypatch.setattr("citizen_cloud.booking.services.second_look.sold_out", memory)
    return memory


def refuse_one(world: World, slot: Any) -> None:
    with pytest.raises(SlotFull):
        world.book(world.citizen(), slot)


def test_after_one_refusal_the_next_callers_cost_no_statement(
    world: World, memory: SoldOut, seconds: Seconds
) -> None:
    holder, slot = world.citizen(), world.slot(1)
    assert memory.answer_for(slot, None) is None
    world.book(holder, slot)
    refuse_one(world, slot)
    with world.statements() as sent:
        for hint in (None, new_id()):
            answer = memory.answer_for(slot, hint)
            assert answer is not None
            assert answer.facts == {"remaining": 0, "retry_after": 1}
    assert sent == []
    seconds.now += KEEP_S
    assert memory.answer_for(slot, None) is None


def test_who_holds_a_place_always_reaches_the_database(world: World, memory: SoldOut) -> None:
    holder, slot = world.citizen(), world.slot(1)
    world.book(holder, slot, key="k1")
    refuse_one(world, slot)
    assert memory.answer_for(slot, holder.account_id) is None
    assert world.book(holder, slot, key="k1").replayed


def test_a_cancellation_reopens_the_slot_within_a_second(
    world: World, memory: SoldOut, seconds: Seconds
) -> None:
    holder, slot = world.citizen(), world.slot(1)
    booked = world.book(holder, slot)
    refuse_one(world, slot)
    world.do(services.cancel, booking_id=booked.booking_id, actor=holder.actor)
    seconds.now += KEEP_S
    assert memory.answer_for(slot, None) is None
    world.book(world.citizen(), slot)


def test_a_slot_with_a_place_left_is_never_remembered_as_full(
    world: World, memory: SoldOut
) -> None:
    slot = world.slot(3)
    world.book(world.citizen(), slot, quantity=2)
    with pytest.raises(SlotFull):
        world.book(world.citizen(), slot, quantity=2)
    assert memory.answer_for(slot, None) is None


def test_a_crowd_of_refusals_reads_the_holders_once_a_second(world: World, memory: SoldOut) -> None:
    slot = world.slot(1)
    world.book(world.citizen(), slot)
    with world.statements() as sent:
        for citizen in world.citizens(5):
            assert outcomes(at_once([lambda who=citizen: world.book(who, slot)])) == {"full": 1}
    assert sum("ARRAY(SELECT b.booked_by" in sql for sql in sent) == 1


def test_a_slot_with_too_many_holders_is_left_to_the_database(
    world: World, memory: SoldOut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_HOLDERS", 1)
    slot = world.slot(2)
    for citizen in world.citizens(2):
        world.book(citizen, slot)
    refuse_one(world, slot)
    assert memory.answer_for(slot, None) is None


def test_what_is_remembered_is_bounded() -> None:
    memory = SoldOut()
    slots = [new_id() for _ in range(MOST_SLOTS + 10)]
    for slot in slots:
        memory._keep(slot, room._Fact(memory._monotonic() + KEEP_S, frozenset()))
    assert len(memory._facts) == MOST_SLOTS
    assert memory.answer_for(slots[0], None) is None
    assert memory.answer_for(slots[-1], None) is not None
