"""What can be taken: publishing, sizing, opening and closing."""

import time
from datetime import timedelta

import pytest
from booking_world import World
from sqlalchemy.exc import IntegrityError

from citizen_cloud.booking import services
from citizen_cloud.booking.refusals import BelowReserved
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound


def test_thirteen_thousand_slots_are_published_in_two_statements(world: World) -> None:
    with world.statements() as sent:
        started = time.monotonic()
        world.slots(13_000, 50)
        took = time.monotonic() - started
    assert len(sent) == 2
    assert world.value("SELECT count(*) FROM booking.slot_text") == 13_000
    assert took < 10


def test_publishing_nothing_says_nothing(world: World) -> None:
    with world.statements() as sent:
        world.do(services.publish_slots, slots=[])
    assert sent == []


def test_one_bad_slot_publishes_none(world: World) -> None:
    with pytest.raises(IntegrityError):
        world.slot(-1)
    assert world.value("SELECT count(*) FROM booking.slot") == 0


def test_booking_ends_with_the_slot_at_the_latest(world: World) -> None:
    slot = world.slot()
    ends_at = world.value("SELECT ends_at FROM booking.slot WHERE id = :id", id=slot)
    with pytest.raises(IntegrityError):
        world.slot(closes_at=ends_at + timedelta(days=1))


def test_a_slot_grows_and_shrinks_as_far_as_nobody_loses_a_place(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(5)
    world.book(citizen, slot, quantity=3)
    world.do(services.resize_slot, slot_id=slot, capacity=3, actor=citizen.actor)
    with pytest.raises(BelowReserved) as refusal:
        world.do(services.resize_slot, slot_id=slot, capacity=2, actor=citizen.actor)
    assert refusal.value.facts == {"taken": 3}
    with pytest.raises(NotFound):
        world.do(services.resize_slot, slot_id=new_id(), capacity=2, actor=citizen.actor)
    sizes = world.value("SELECT jsonb_agg(payload) FROM audit.entry WHERE action = 'slot.resized'")
    assert sizes == [{"before": 5, "after": 3, "taken": 3}]
    assert world.differences() == []


def test_many_are_resized_and_those_that_cannot_be_are_named_by_their_absence(
    world: World,
) -> None:
    citizen = world.citizen()
    first, second = world.slots(2, 5)
    world.book(citizen, second, quantity=3)
    wanted = {first: 9, second: 1, new_id(): 4}
    done = world.do(services.resize_slots, capacities=wanted, actor=citizen.actor)
    assert done == {first}
    assert world.value("SELECT capacity FROM booking.slot WHERE id = :id", id=second) == 5


def test_an_empty_selection_changes_no_slot(world: World) -> None:
    slot, actor = world.slot(), world.citizen().actor
    assert world.do(services.resize_slots, capacities={}, actor=actor) == frozenset()
    assert world.do(services.set_slot_status, slot_ids=[], status="closed", actor=actor) == 0
    assert world.value("SELECT status FROM booking.slot WHERE id = :id", id=slot) == "open"


def test_slots_close_and_open_again_but_a_cancelled_one_stays_cancelled(world: World) -> None:
    actor = world.citizen().actor
    first, second = world.slots(2)
    change = services.set_slot_status
    assert world.do(change, slot_ids=[first, second], status="closed", actor=actor) == 2
    assert world.do(change, slot_ids=[first, second], status="closed", actor=actor) == 0
    assert world.do(change, slot_ids=[first], status="cancelled", actor=actor) == 1
    assert world.do(change, slot_ids=[first, second], status="open", actor=actor) == 1
    assert world.value("SELECT count(*) FROM audit.entry WHERE object_type = 'slot'") == 4
