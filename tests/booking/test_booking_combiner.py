"""Many requests for one hot slot share a transaction, and nobody can tell from the answers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from booking_world import Citizen, World, at_once, order, outcomes, rolling, wait_until
from sqlalchemy.exc import OperationalError

from citizen_cloud.booking import combiner as room
from citizen_cloud.booking import services
from citizen_cloud.booking.combiner import Combiner
from citizen_cloud.booking.hot_slots import MOST, HotSlots, hot_slots
from citizen_cloud.booking.refusals import SlotFull
from citizen_cloud.booking.services import batch
from citizen_cloud.booking.sold_out import sold_out
from citizen_cloud.db import new_id
from citizen_cloud.errors import Unavailable


class Gate:
    """Holds the first statement back until a number of requests wait behind it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.open = threading.Event()
        self.batches = 0
        self.combiner = Combiner(statement=self.statement, transaction=self.transaction)

    @contextmanager
    def statement(self) -> Iterator[Any]:
        self.open.wait(10)
        with self.world.database.statement() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        self.batches += 1
        with self.world.database.transaction() as session:
            yield session

    def crowd(self, slot: UUID, first: Callable[[], Any], rest: list[Callable[[], Any]]) -> Any:
        """Run one request, let the others gather behind it, then open."""
        results: list[Any] = [None] * (len(rest) + 1)

        def work(number: int, call: Callable[[], Any]) -> None:
            try:
                results[number] = call()
            except Exception as error:  # noqa: BLE001 - what came out is the result
                results[number] = error

        threads = [threading.Thread(target=work, args=pair) for pair in enumerate((first, *rest))]
        threads[0].start()
        wait_until(lambda: slot in self.combiner._waiting)
        for number, thread in enumerate(threads[1:], 1):
            thread.start()
            wait_until(lambda number=number: len(self.combiner._waiting[slot]) == number)
        self.open.set()
        for thread in threads:
            thread.join(20)
        return results


@pytest.fixture
def gate(world: World) -> Gate:
    return Gate(world)


def hot(world: World, capacity: int) -> UUID:
    slot = world.slot(capacity, hot=True)
    hot_slots.note(slot)
    return slot


def calls(gate: Gate, slot: UUID, citizens: list[Citizen], **facts: Any) -> list[Any]:
    return [partial(gate.combiner.book, order=order(who, slot, **facts)) for who in citizens]


def test_who_gathers_behind_a_commit_is_booked_in_one_transaction(world: World, gate: Gate) -> None:
    slot = hot(world, 100)
    wanted = calls(gate, slot, world.citizens(30), quota=rolling(), payload={"campaign": "c"})
    with world.statements() as sent:
        results = gate.crowd(slot, wanted[0], wanted[1:])
    assert outcomes(results) == {"booked": 30}
    assert gate.batches == 1
    # One statement for the first; lock, look, quotas, bookings for the other 29.
    assert len(sent) == 5
    assert world.taken(slot) == 30
    assert world.differences() == []


def test_a_batch_answers_like_a_single_booking(world: World, gate: Gate) -> None:
    slot = hot(world, 5)
    citizens = world.citizens(2)
    first, second = calls(gate, slot, citizens)
    results = gate.crowd(slot, first, [second])
    for citizen, booked in zip(citizens, results, strict=True):
        row = world.do(services.changing.booking_facts, booking_id=booked.booking_id)
        assert row == booked.row
        assert (row.person_id, row.status) == (citizen.person_id, "booked")
        assert row.title == {"zh": "成人口罩", "en": "Masks for adults"}


def test_the_first_who_came_get_the_last_places_and_the_rest_hear_full(
    world: World, gate: Gate
) -> None:
    slot = hot(world, 8)
    wanted = calls(gate, slot, world.citizens(20), quota=rolling())
    results = gate.crowd(slot, wanted[0], wanted[1:])
    assert [isinstance(result, services.Booked) for result in results] == [True] * 8 + [False] * 12
    assert outcomes(results) == {"booked": 8, "full": 12}
    assert world.value("SELECT sum(used) FROM booking.allowance") == 8
    assert world.differences() == []


def test_a_party_too_large_lets_smaller_ones_pass(world: World, gate: Gate) -> None:
    slot = hot(world, 4)
    people = world.citizens(4)
    wanted = [
        partial(gate.combiner.book, order=order(who, slot, quantity=size))
        for who, size in zip(people, (1, 4, 2, 1), strict=True)
    ]
    results = gate.crowd(slot, wanted[0], wanted[1:])
    assert [getattr(result, "code", "booked") for result in results] == [
        "booked",
        "full",
        "booked",
        "booked",
    ]
    assert world.differences() == []


def test_who_is_over_the_quota_is_refused_and_takes_no_place_in_the_batch(
    world: World, gate: Gate
) -> None:
    people = world.citizens(6)
    other = world.slot(10)
    for who in people[1:3]:
        world.book(who, other, quota=rolling())
    slot = hot(world, 4)
    wanted = calls(gate, slot, people, quota=rolling())
    results = gate.crowd(slot, wanted[0], wanted[1:])
    found = [getattr(result, "code", "booked") for result in results]
    assert [found[0], *found[3:]] == ["booked"] * 4
    # Asked again alone; by then the slot may be full, and that is then the reason.
    assert set(found[1:3]) <= {"limit_reached", "full"}
    assert world.differences() == []


def test_a_quota_used_up_is_said_and_never_makes_the_slot_look_full(
    world: World, gate: Gate
) -> None:
    people = world.citizens(4)
    other = world.slot(10)
    for who in people[1:3]:
        world.book(who, other, quota=rolling())
    slot = hot(world, 9)
    wanted = calls(gate, slot, people, quota=rolling())
    results = gate.crowd(slot, wanted[0], wanted[1:])
    assert outcomes(results) == {"booked": 2, "limit_reached": 2}
    assert sold_out.answer_for(slot, None) is None


def test_retries_and_second_tries_in_a_batch_get_what_they_would_get_alone(
    world: World, gate: Gate
) -> None:
    slot = hot(world, 10)
    early, late, both, fresh = world.citizens(4)
    made = world.book(early, slot, key="k1")
    world.book(late, slot)
    wanted = [
        *calls(gate, slot, [fresh]),
        *calls(gate, slot, [early], key="k1"),
        *calls(gate, slot, [late]),
        *calls(gate, slot, [both], key="k2"),
        *calls(gate, slot, [both], key="k2"),
        *calls(gate, slot, [both]),
    ]
    results = gate.crowd(slot, wanted[0], wanted[1:])
    found = [
        getattr(r, "code", "replayed" if getattr(r, "replayed", 0) else "booked") for r in results
    ]
    assert found[:3] == ["booked", "replayed", "already_booked"]
    assert sorted(found[3:]) == ["already_booked", "booked", "replayed"]
    assert results[1].booking_id == made.booking_id
    assert world.taken(slot) == 4
    assert world.differences() == []


def test_a_batch_that_fails_is_undone_and_its_members_are_booked_singly(
    world: World, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = room.book_together

    def fail(session: Any, **facts: Any) -> Any:
        real(session, **facts)
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(room, "book_together", fail)
    slot = hot(world, 5)
    wanted = calls(gate, slot, world.citizens(8), quota=rolling())
    results = gate.crowd(slot, wanted[0], wanted[1:])
    assert outcomes(results) == {"booked": 5, "full": 3}
    assert world.differences() == []


def test_another_quota_is_booked_apart(world: World, gate: Gate) -> None:
    slot = hot(world, 9)
    people = world.citizens(4)
    quotas = (rolling(), rolling(14), rolling(), None)
    wanted = [
        partial(gate.combiner.book, order=order(who, slot, quota=quota))
        for who, quota in zip(people, quotas, strict=True)
    ]
    assert outcomes(gate.crowd(slot, wanted[0], wanted[1:])) == {"booked": 4}
    assert world.differences() == []


def test_a_quiet_slot_and_a_lonely_request_are_one_statement(world: World, gate: Gate) -> None:
    gate.open.set()
    for slot in (world.slot(), hot(world, 1)):
        with world.statements() as sent:
            gate.combiner.book(order=order(world.citizen(), slot))
        # The citizen's own rows are made in one statement as well.
        assert len(sent) == 2
    assert gate.combiner._waiting == {}


def test_a_slot_is_known_to_be_hot_after_its_first_booking(world: World) -> None:
    slot, quiet = world.slot(2, hot=True), world.slot(2)
    assert slot not in hot_slots
    for each in (slot, quiet):
        world.book(world.citizen(), each)
    assert slot in hot_slots
    assert quiet not in hot_slots


def test_hot_slots_are_bounded() -> None:
    memory = HotSlots()
    slots = [new_id() for _ in range(MOST + 5)]
    for slot in slots:
        memory.note(slot)
    assert slots[0] not in memory
    assert slots[-1] in memory


def test_whose_turn_does_not_come_is_told_to_ask_again_and_leaves_the_queue(
    world: World, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "PATIENCE_S", 0.05)
    slot = hot(world, 5)
    first, second = calls(gate, slot, world.citizens(2))
    thread = threading.Thread(target=first)
    thread.start()
    wait_until(lambda: slot in gate.combiner._waiting)
    with pytest.raises(Unavailable):
        second()
    gate.open.set()
    thread.join(10)
    assert gate.combiner._waiting == {}
    assert world.taken(slot) == 1
    second()


def test_a_leader_that_fails_passes_the_lead_on(world: World, gate: Gate) -> None:
    slot = hot(world, 2)
    people = world.citizens(4)
    world.book(people[0], slot, quantity=2)
    wanted = calls(gate, slot, people[1:])
    results = gate.crowd(slot, wanted[0], wanted[1:])
    assert all(isinstance(result, SlotFull) for result in results)
    assert gate.combiner._waiting == {}


def test_a_thousand_callers_through_the_combiner_get_exactly_the_places(world: World) -> None:
    slot = hot(world, 50)
    door = Combiner(statement=world.database.statement, transaction=world.database.transaction)
    citizens = world.citizens(1_000)
    wanted = [partial(door.book, order=order(who, slot, quota=rolling())) for who in citizens]
    assert outcomes(at_once(wanted)) == {"booked": 50, "full": 950}
    assert world.differences() == []


def test_combiners_of_several_processes_and_single_bookings_share_the_places(
    world: World,
) -> None:
    slot = hot(world, 60)
    doors = [
        Combiner(statement=world.database.statement, transaction=world.database.transaction).book
        for _ in range(2)
    ]
    wanted: list[Any] = []
    for number, who in enumerate(world.citizens(300)):
        if number % 3 == 2:
            wanted.append(partial(world.book, who, slot, quota=rolling()))
        else:
            wanted.append(partial(doors[number % 3], order=order(who, slot, quota=rolling())))
    assert outcomes(at_once(wanted)) == {"booked": 60, "full": 240}
    assert world.differences() == []


def test_without_the_running_sum_a_batch_oversells(
    world: World, gate: Gate, fresh_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the tests above."""
    monkeypatch.setattr(batch, "_fitting", lambda orders, _free: list(orders))
    with fresh_database.owner() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE booking.slot DROP CONSTRAINT ck_slot_within_capacity"
        )
    slot = hot(world, 3)
    wanted = calls(gate, slot, world.citizens(9))
    assert outcomes(gate.crowd(slot, wanted[0], wanted[1:]))["booked"] > 3
    assert "oversold" in {difference.kind for difference in world.differences()}


def test_the_door_of_the_process_uses_its_database(world: World) -> None:
    assert room.book(order=order(world.citizen(), world.slot())).row.status == "booked"
