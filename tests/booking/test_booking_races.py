"""Everybody at once: real threads, real commits, and twins without the guard that must fail.

With ``PROVE=1`` the counts are the large ones of ``scripts/prove``.
"""

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from booking_world import Citizen, World, at_once, order, outcomes, rolling, weekly

from citizen_cloud.booking import services
from citizen_cloud.booking.services import taking

PROVE = bool(os.environ.get("PROVE"))
ROUNDS = 40 if PROVE else 6
GUARD = "AND taken + %(quantity)s::int <= capacity"


def booked_of_1000(world: World) -> Counter[str]:
    slot = world.slot(50)
    calls = [partial(world.book, citizen, slot) for citizen in world.citizens(1_000)]
    return outcomes(at_once(calls))


def test_of_a_thousand_callers_for_fifty_places_exactly_fifty_get_one(world: World) -> None:
    assert booked_of_1000(world) == {"booked": 50, "full": 950}
    assert world.differences() == []


def test_without_the_guard_the_same_thousand_oversell(
    world: World, fresh_database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: were this to find fifty as well, the test above would prove nothing."""
    assert GUARD in taking.BOOK
    monkeypatch.setattr(taking, "BOOK", taking.BOOK.replace(GUARD, ""))
    with fresh_database.owner() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE booking.slot DROP CONSTRAINT ck_slot_within_capacity"
        )
    assert booked_of_1000(world)["booked"] > 50
    assert "oversold" in {difference.kind for difference in world.differences()}


def test_without_the_guard_the_check_still_holds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "BOOK", taking.BOOK.replace(GUARD, ""))
    slot = world.slot(5)
    at_once([partial(world.book, citizen, slot) for citizen in world.citizens(40)])
    assert world.taken(slot) == 5


def test_a_person_who_asks_a_hundred_times_gets_one_place_in_a_slot(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(200)
    found = outcomes(at_once([partial(world.book, citizen, slot)] * 100))
    assert found == {"booked": 1, "already_booked": 99}
    assert world.differences() == []


@pytest.mark.parametrize("quota", [rolling(), weekly()])
def test_a_person_who_asks_in_a_hundred_places_gets_one_quota(world: World, quota: Any) -> None:
    citizen = world.citizen()
    calls = [partial(world.book, citizen, slot, quota=quota) for slot in world.slots(100, 5)]
    assert outcomes(at_once(calls)) == {"booked": 1, "limit_reached": 99}
    assert world.used(citizen) == 1
    assert world.differences() == []


def test_without_the_check_a_person_gets_a_second_quota(world: World, fresh_database: Any) -> None:
    """The control of the test above."""
    with fresh_database.owner() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE booking.allowance DROP CONSTRAINT ck_allowance_within_limit"
        )
    citizen = world.citizen()
    calls = [partial(world.book, citizen, slot, quota=weekly()) for slot in world.slots(20, 5)]
    assert outcomes(at_once(calls))["booked"] > 1
    assert "over_quota" in {difference.kind for difference in world.differences()}


def test_accounts_of_one_person_share_its_quota(world: World) -> None:
    citizen, *accounts = world.citizens(12)
    calls = [
        partial(world.book, citizen, slot, quota=weekly(), booked_by=account.account_id)
        for slot, account in zip(world.slots(11, 5), accounts, strict=True)
    ]
    assert outcomes(at_once(calls)) == {"booked": 1, "limit_reached": 10}


@pytest.mark.parametrize("quota", [None, rolling()])
def test_one_key_sent_many_times_at_once_is_one_booking(world: World, quota: Any) -> None:
    citizen, slot = world.citizen(), world.slot(1)
    results = at_once([partial(world.book, citizen, slot, key="k1", quota=quota)] * 50)
    assert outcomes(results) == {"booked": 1, "replayed": 49}
    assert len({result.booking_id for result in results}) == 1
    assert world.differences() == []


def test_one_key_for_many_slots_at_once_books_one_and_refuses_the_rest(world: World) -> None:
    citizen = world.citizen()
    calls = [partial(world.book, citizen, slot, key="k1") for slot in world.slots(20)]
    assert outcomes(at_once(calls)) == {"booked": 1, "idempotency_key_reused": 19}
    assert world.differences() == []


def test_parties_of_all_sizes_never_pass_the_capacity(world: World) -> None:
    slot = world.slot(50)
    calls = [
        partial(world.book, citizen, slot, quantity=number % 4 + 1)
        for number, citizen in enumerate(world.citizens(100))
    ]
    results = at_once(calls)
    sizes = [r.row.quantity for r in results if isinstance(r, services.Booked)]
    assert sum(sizes) == world.taken(slot) == 50
    assert world.differences() == []


def test_four_cancellations_at_once_free_once(world: World) -> None:
    for _ in range(ROUNDS):
        citizen, slot = world.citizen(), world.slot(5)
        booked = world.book(citizen, slot, quota=rolling(), quantity=1)
        call = partial(world.do, services.cancel, booking_id=booked.booking_id, actor=citizen.actor)
        assert outcomes(at_once([call] * 4)) == {"changed": 1, "unchanged": 3}
        assert (world.taken(slot), world.used(citizen)) == (0, 0)
    assert world.differences() == []


def test_two_clerks_at_once_hand_out_once(world: World) -> None:
    for _ in range(ROUNDS):
        booked = world.book(world.citizen(), world.slot())
        call = partial(
            world.do, services.check_in, booking_id=booked.booking_id, actor=services.SYSTEM
        )
        assert outcomes(at_once([call] * 4)) == {"changed": 1, "already_redeemed": 3}
    assert world.differences() == []


def test_a_cancellation_and_a_check_in_at_once_never_both_happen(world: World) -> None:
    for _ in range(ROUNDS):
        citizen, slot = world.citizen(), world.slot()
        facts = {
            "booking_id": world.book(citizen, slot, quota=rolling()).booking_id,
            "actor": citizen.actor,
        }
        results = at_once(
            [
                partial(world.do, services.cancel, **facts),
                partial(world.do, services.check_in, **facts),
            ]
        )
        assert sorted(outcomes(results).values()) == [1, 1]
        assert world.taken(slot) == (0 if world.status(facts["booking_id"]) == "cancelled" else 1)
    assert world.differences() == []


def test_the_sweeper_and_a_confirmation_at_the_last_instant_agree(world: World) -> None:
    for number in range(ROUNDS):
        citizen, slot = world.citizen(), world.slot()
        now = datetime.now(UTC)
        held = world.hold(citizen, slot, now=now, quota=rolling())
        at = now + timedelta(minutes=5, microseconds=number % 2 - 1)
        results = at_once(
            [
                partial(world.do, services.expire_holds, slot_id=slot, now=at),
                partial(
                    world.do,
                    services.confirm,
                    booking_id=held.booking_id,
                    actor=citizen.actor,
                    now=at,
                ),
            ]
        )
        found = world.status(held.booking_id)
        assert (found == "booked") == (number % 2 == 0), results
        assert world.taken(slot) == int(found == "booked")
    assert world.differences() == []


def test_a_shrinking_slot_and_its_callers_never_oversell(world: World) -> None:
    for _ in range(ROUNDS):
        slot = world.slot(10)
        actor = services.SYSTEM
        calls: list[Any] = [
            partial(world.do, services.resize_slot, slot_id=slot, capacity=capacity, actor=actor)
            for capacity in (8, 6, 4)
        ]
        calls += [partial(world.book, citizen, slot) for citizen in world.citizens(12)]
        at_once(calls)
        assert world.value("SELECT taken <= capacity FROM booking.slot WHERE id = :id", id=slot)
    assert world.differences() == []


def test_a_mixed_crowd_leaves_nothing_that_does_not_add_up(world: World) -> None:
    """Book, retry, cancel, check in and sweep, all over few slots and few people."""
    slots = world.slots(4, 6)
    citizens = world.citizens(20)
    day = date(2020, 2, 16)

    def visit(number: int) -> None:
        citizen: Citizen = citizens[number % len(citizens)]
        slot = slots[number % len(slots)]
        quota = rolling(7, day + timedelta(days=number % 9), most=2)
        facts = {"key": f"k{number // 2}", "quota": quota}
        with world.database.statement() as connection:
            booked = services.book(connection, order=order(citizen, slot, **facts))
        verb = (services.cancel, services.check_in, services.cancel)[number % 3]
        world.do(verb, booking_id=booked.booking_id, actor=citizen.actor)

    results = at_once([partial(visit, number) for number in range(3_000 if PROVE else 600)])
    refused = {"None", "full", "limit_reached", "already_booked", "state_conflict"}
    refused |= {"already_redeemed", "idempotency_key_reused"}
    assert set(outcomes(results)) <= refused
    assert world.differences() == []


def test_while_the_crowd_books_the_auditor_sees_nothing_odd(world: World) -> None:
    slots = world.slots(5, 30)
    calls: list[Any] = []
    for number, citizen in enumerate(world.citizens(300)):
        calls.append(partial(world.book, citizen, slots[number % 5], quota=weekly()))
        if number % 30 == 0:
            calls.append(world.differences)
    results = at_once(calls)
    assert [result for result in results if isinstance(result, list)] == [[]] * 10
