"""Every order in which the statements of two sessions can meet, not only the likely ones."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from booking_world import Interleaving, World, interleavings, order, outcome, rolling
from sqlalchemy.orm import Session

from citizen_cloud.booking import services

Verb = Callable[[Session], Any]
# Lock, act, commit on each side. A booking inside a transaction is savepoint, statement, release;
# its second look, where the reason is read, comes fourth and fifth.
TURNS = interleavings(3, 3)
LONG_TURNS = interleavings(3, 5)


def cancel_and_cancel(world: World) -> tuple[Verb, Verb, Any]:
    facts = booked(world)
    return (
        partial(services.cancel, **facts),
        partial(services.cancel, **facts),
        {("changed", "unchanged"), ("unchanged", "changed")},
    )


def cancel_and_check_in(world: World) -> tuple[Verb, Verb, Any]:
    facts = booked(world)
    return (
        partial(services.cancel, **facts),
        partial(services.check_in, **facts),
        {("changed", "state_conflict"), ("state_conflict", "changed")},
    )


def check_in_and_check_in(world: World) -> tuple[Verb, Verb, Any]:
    facts = booked(world)
    return (
        partial(services.check_in, **facts),
        partial(services.check_in, **facts),
        {("changed", "already_redeemed"), ("already_redeemed", "changed")},
    )


def expire_and_confirm(world: World) -> tuple[Verb, Verb, Any]:
    now = datetime.now(UTC)
    slot = world.slot()
    held = world.hold(world.citizen(), slot, now=now, quota=rolling())
    confirm = partial(
        services.confirm,
        booking_id=held.booking_id,
        actor=services.SYSTEM,
        now=now + timedelta(minutes=4),
    )
    sweep = partial(services.expire_holds, slot_id=slot, now=now + timedelta(minutes=5))
    return sweep, confirm, {("0", "changed"), ("1", "hold_expired")}


def cancel_and_book(world: World) -> tuple[Verb, Verb, Any]:
    facts = booked(world)
    with world.database.transaction() as session:
        slot = services.changing.booking_facts(session, facts["booking_id"]).slot_id
    other = order(world.citizen(), slot, quota=rolling())

    def book(session: Session) -> Any:
        return services.book(session.connection(), order=other)

    return (
        partial(services.cancel, **facts),
        book,
        {("changed", "booked"), ("changed", "full")},
    )


def resize_and_book(world: World) -> tuple[Verb, Verb, Any]:
    slot = world.slot(1)
    other = order(world.citizen(), slot)
    resize = partial(services.resize_slot, slot_id=slot, capacity=0, actor=services.SYSTEM)

    def book(session: Session) -> Any:
        return services.book(session.connection(), order=other)

    return resize, book, {("None", "full"), ("below_reserved", "booked")}


def book_and_book(world: World) -> tuple[Verb, Verb, Any]:
    slot = world.slot(1)
    orders = [order(citizen, slot, quota=rolling()) for citizen in world.citizens(2)]

    def book(wanted: services.Order, session: Session) -> Any:
        return services.book(session.connection(), order=wanted)

    return (
        partial(book, orders[0]),
        partial(book, orders[1]),
        {("booked", "full"), ("full", "booked")},
    )


def one_quota_in_two_slots(world: World) -> tuple[Verb, Verb, Any]:
    citizen = world.citizen()
    orders = [order(citizen, slot, quota=rolling()) for slot in world.slots(2)]

    def book(wanted: services.Order, session: Session) -> Any:
        return services.book(session.connection(), order=wanted)

    return (
        partial(book, orders[0]),
        partial(book, orders[1]),
        {("booked", "limit_reached"), ("limit_reached", "booked")},
    )


def booked(world: World) -> dict[str, Any]:
    citizen = world.citizen()
    made = world.book(citizen, world.slot(1), quota=rolling())
    return {"booking_id": made.booking_id, "actor": citizen.actor}


PAIRS = {
    cancel_and_cancel: TURNS,
    cancel_and_check_in: TURNS,
    check_in_and_check_in: TURNS,
    expire_and_confirm: TURNS,
    cancel_and_book: LONG_TURNS,
    resize_and_book: TURNS,
    book_and_book: TURNS,
    one_quota_in_two_slots: TURNS,
}


@pytest.mark.parametrize("pair", PAIRS)
def test_in_every_order_of_statements_one_wins_and_the_other_hears_why(
    world: World, pair: Callable[[World], tuple[Verb, Verb, Any]]
) -> None:
    stage = Interleaving(world.database)
    seen = set()
    for turns in PAIRS[pair]:
        first, second, allowed = pair(world)
        results = stage.run(turns, first, second)
        found = (outcome(results[0]), outcome(results[1]))
        assert found in allowed, (turns, results)
        seen.add(found)
    assert len(seen) > 1, "the orders made no difference: nothing was interleaved"
    assert world.differences() == []


def test_freeing_in_one_statement_without_the_lock_frees_twice(world: World) -> None:
    """The control: the way kernel designs fail, and these interleavings find it."""
    unlocked = """
        WITH b AS (SELECT id, slot_id, quantity FROM booking.booking
                    WHERE id = %(id)s AND status = 'booked'),
             s AS (UPDATE booking.slot s SET taken = s.taken - b.quantity
                     FROM b WHERE s.id = b.slot_id)
        UPDATE booking.booking o SET status = 'cancelled' FROM b WHERE o.id = b.id
    """
    facts = {"id": None}

    def cancel(session: Session) -> None:
        session.connection().exec_driver_sql(unlocked, facts)

    def free_twice(turns: str) -> bool:
        slot = world.slot(5)
        world.book(world.citizen(), slot, quantity=2)
        facts["id"] = world.book(world.citizen(), slot).booking_id
        Interleaving(world.database).run(turns, cancel, cancel)
        return world.taken(slot) != 2

    assert any(free_twice(turns) for turns in interleavings(2, 2))
