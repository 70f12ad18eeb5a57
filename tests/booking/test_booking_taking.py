"""Booking: one statement, exactly once, and the true reason where it is refused."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from booking_world import World, order, rolling, weekly

from citizen_cloud.booking import services
from citizen_cloud.booking.refusals import (
    AlreadyBooked,
    LimitReached,
    NotOpen,
    SlotClosed,
    SlotFull,
)
from citizen_cloud.booking.services.batch import book_together
from citizen_cloud.booking.statement import BOOK_RATIONED, for_pgbench
from citizen_cloud.db import new_id
from citizen_cloud.errors import IdempotencyKeyReused, NotFound


@pytest.mark.parametrize("quota", [None, rolling(), weekly()])
def test_booking_is_one_statement(world: World, quota: Any) -> None:
    citizen, slot = world.citizen(), world.slot()
    with world.database.statement() as connection, world.statements() as sent:
        booked = services.book(connection, order=order(citizen, slot, quota=quota))
    assert len(sent) == 1
    assert not booked.replayed
    assert world.taken(slot) == 1
    assert world.differences() == []


def test_a_booking_tells_everything_its_json_needs(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(hot=False)
    row = world.book(citizen, slot).row
    assert (row.status, row.quantity, row.module) == ("booked", 1, "masks")
    assert row.title == {"zh": "成人口罩", "en": "Masks for adults"}
    assert row.place == {"zh": "人民路药店", "en": "Renmin Road Pharmacy"}
    assert (row.person_id, row.booked_by) == (citizen.person_id, citizen.account_id)
    assert row.facts.slot_id == slot
    assert len(row.reference) == 8


def test_a_booking_leaves_one_audit_entry_one_event_and_one_ledger_row(world: World) -> None:
    citizen, slot = world.citizen(), world.slot()
    booked = world.book(citizen, slot, payload={"campaign_id": "c1"})
    audit = world.value(
        "SELECT to_jsonb(e) FROM audit.entry e WHERE object_id = :id", id=booked.booking_id
    )
    assert (audit["action"], audit["actor_id"]) == ("booking.booked", str(citizen.account_id))
    event = world.value("SELECT to_jsonb(o) FROM jobs.outbox o")
    assert event["event"] == "booking.booked"
    assert event["payload"] == {
        "booking_id": str(booked.booking_id),
        "module": "masks",
        "slot_id": str(slot),
        "organisation_id": str(world.organisation_id),
        "person_id": str(citizen.person_id),
        "account_id": str(citizen.account_id),
        "quantity": 1,
        "reference": booked.reference,
        "campaign_id": "c1",
    }
    assert world.value("SELECT delta FROM booking.ledger WHERE slot_id = :id", id=slot) == 1


def test_a_full_slot_refuses_the_next_citizen_and_changes_nothing(world: World) -> None:
    first, second = world.citizens(2)
    slot = world.slot(1)
    world.book(first, slot)
    with pytest.raises(SlotFull) as refusal:
        world.book(second, slot, quota=rolling())
    assert refusal.value.facts == {"remaining": 0}
    assert world.used(second) == 0
    assert world.differences() == []


def test_a_party_too_large_hears_how_many_places_are_left(world: World) -> None:
    slot = world.slot(3)
    world.book(world.citizen(), slot)
    with pytest.raises(SlotFull) as refusal:
        world.book(world.citizen(), slot, quantity=3)
    assert refusal.value.facts == {"remaining": 2}
    assert world.book(world.citizen(), slot, quantity=2).row.quantity == 2


def test_before_opening_and_after_closing_nothing_is_booked(world: World) -> None:
    citizen, slot = world.citizen(), world.slot()
    now = datetime.now(UTC)
    with pytest.raises(NotOpen) as refusal:
        world.book(citizen, slot, now=now - timedelta(days=2))
    assert "opens_at" in refusal.value.facts
    with pytest.raises(SlotClosed):
        world.book(citizen, slot, now=now + timedelta(days=2))
    assert world.taken(slot) == 0


@pytest.mark.parametrize("status", ["closed", "cancelled"])
def test_a_slot_that_is_not_open_says_closed(world: World, status: Any) -> None:
    citizen, slot = world.citizen(), world.slot()
    world.do(services.set_slot_status, slot_ids=[slot], status=status, actor=citizen.actor)
    with pytest.raises(SlotClosed):
        world.book(citizen, slot)


def test_an_absent_slot_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.book(world.citizen(), new_id())


def test_one_person_books_a_slot_once_whoever_asks(world: World) -> None:
    citizen, guardian = world.citizens(2)
    slot = world.slot(5)
    first = world.book(citizen, slot)
    with pytest.raises(AlreadyBooked) as refusal:
        world.book(citizen, slot, booked_by=guardian.account_id)
    assert refusal.value.facts == {"booking_id": str(first.booking_id)}
    assert world.taken(slot) == 1


def test_the_retry_of_the_last_place_gets_its_own_booking(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(1)
    first = world.book(citizen, slot, key="k1")
    again = world.book(citizen, slot, key="k1")
    assert again.replayed
    assert again.row == first.row
    assert world.taken(slot) == 1


def test_the_retry_of_the_last_allowance_gets_its_own_booking(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(10)
    first = world.book(citizen, slot, key="k1", quota=rolling())
    again = world.book(citizen, slot, key="k1", quota=rolling())
    assert again.replayed
    assert again.booking_id == first.booking_id
    assert world.used(citizen) == 1


def test_the_retry_of_a_booking_since_cancelled_shows_it_cancelled(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(1)
    first = world.book(citizen, slot, key="k1")
    world.do(services.cancel, booking_id=first.booking_id, actor=citizen.actor)
    again = world.book(citizen, slot, key="k1")
    assert (again.replayed, again.row.status) == (True, "cancelled")
    assert world.taken(slot) == 0


def test_a_key_used_for_something_else_is_refused_also_where_the_slot_is_full(
    world: World,
) -> None:
    citizen, other = world.citizens(2)
    slot, full = world.slots(2)
    world.book(other, full)
    world.book(citizen, slot, key="k1")
    for wanted in (world.slot(), full):
        with pytest.raises(IdempotencyKeyReused):
            world.book(citizen, wanted, key="k1")
    assert world.differences() == []


def test_the_same_key_of_another_account_is_another_request(world: World) -> None:
    slot = world.slot(2)
    bookings = {world.book(citizen, slot, key="k1").booking_id for citizen in world.citizens(2)}
    assert len(bookings) == 2


def test_a_limit_leaves_the_slot_as_it_was(world: World) -> None:
    citizen = world.citizen()
    first, second = world.slots(2, 5)
    world.book(citizen, first, quota=weekly())
    with pytest.raises(LimitReached) as refusal:
        world.book(citizen, second, quota=weekly())
    assert refusal.value.facts == {"max": 1, "used": 1}
    assert (world.taken(second), world.used(citizen)) == (0, 1)
    assert world.differences() == []


def test_a_quota_counts_pieces_not_bookings(world: World) -> None:
    citizen = world.citizen()
    first, second, third = world.slots(3, 50)
    world.book(citizen, first, quantity=2, quota=weekly(most=3))
    with pytest.raises(LimitReached):
        world.book(citizen, second, quantity=2, quota=weekly(most=3))
    world.book(citizen, third, quantity=1, quota=weekly(most=3))


def test_a_new_week_is_a_new_quota_and_nothing_carries_over(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(4, 50)
    world.book(citizen, slots[0], quota=weekly("2020-W08", most=2))
    world.book(citizen, slots[1], quantity=2, quota=weekly("2020-W09", most=2))
    with pytest.raises(LimitReached):
        world.book(citizen, slots[2], quota=weekly("2020-W09", most=2))
    assert world.differences() == []


def test_bought_on_16_february_with_7_days_is_allowed_again_on_23_february(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(3, 5)
    world.book(citizen, slots[0], quota=rolling(7, date(2020, 2, 16)))
    with pytest.raises(LimitReached) as refusal:
        world.book(citizen, slots[1], quota=rolling(7, date(2020, 2, 22)))
    assert refusal.value.facts == {"max": 1, "used": 1, "again_on": "2020-02-23"}
    world.book(citizen, slots[2], quota=rolling(7, date(2020, 2, 23)))
    assert world.differences() == []


def test_an_earlier_day_counts_in_the_window_that_has_begun(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(3, 5)
    world.book(citizen, slots[0], quota=rolling(7, date(2020, 2, 20), most=2))
    world.book(citizen, slots[1], quota=rolling(7, date(2020, 2, 16), most=2))
    with pytest.raises(LimitReached):
        world.book(citizen, slots[2], quota=rolling(7, date(2020, 2, 18), most=2))
    assert world.used(citizen) == 2


def test_a_cancelled_taking_lets_the_window_begin_anew(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(2, 5)
    first = world.book(citizen, slots[0], quota=rolling(7, date(2020, 2, 16)))
    world.do(services.cancel, booking_id=first.booking_id, actor=citizen.actor)
    world.book(citizen, slots[1], quota=rolling(7, date(2020, 2, 14)))
    assert world.used(citizen) == 1
    assert world.differences() == []


def test_no_second_quota_by_booking_ahead_and_cancelling_that(world: World) -> None:
    """16 is taken; 23 begins a new window and is cancelled; 18 lies in the first window still."""
    citizen = world.citizen()
    slots = world.slots(4, 5)
    world.book(citizen, slots[0], quota=rolling(7, date(2020, 2, 16)))
    ahead = world.book(citizen, slots[1], quota=rolling(7, date(2020, 2, 23)))
    world.do(services.cancel, booking_id=ahead.booking_id, actor=citizen.actor)
    with pytest.raises(LimitReached):
        world.book(citizen, slots[2], quota=rolling(7, date(2020, 2, 18)))
    world.book(citizen, slots[3], quota=rolling(7, date(2020, 2, 24)))
    assert world.differences() == []


@pytest.mark.parametrize("is_hot", [False, True])
def test_a_first_day_given_back_does_not_open_the_next_window_early(
    world: World, *, is_hot: bool
) -> None:
    """Booked for the 10th and cancelled; two pieces on the 16th, then no two more on the 17th."""
    citizen = world.citizen()
    slots = world.slots(6, 5)
    day = {n: rolling(7, date(2020, 2, n), most=2) for n in (10, 16, 17, 22, 23)}
    anchor = world.book(citizen, slots[0], quota=day[10])
    world.book(citizen, slots[1], quota=day[16])
    world.do(services.cancel, booking_id=anchor.booking_id, actor=citizen.actor)
    world.book(citizen, slots[2], quota=day[16])
    for number in (17, 22):
        wanted = order(citizen, slots[3], quota=day[number])
        if is_hot:
            assert world.do(book_together, orders=[wanted]) == {}
        with pytest.raises(LimitReached) as refusal:
            world.book(citizen, slots[3], quota=day[number])
        assert refusal.value.facts["again_on"] == "2020-02-23"
    if is_hot:
        assert len(world.do(book_together, orders=[order(citizen, slots[3], quota=day[23])]))
    else:
        world.book(citizen, slots[3], quota=day[23])
    assert world.used(citizen) == 1
    assert world.differences() == []


def test_days_before_the_first_one_never_end_a_window_earlier(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(6, 5)
    first = world.book(citizen, slots[0], quota=rolling(7, date(2020, 2, 16), most=3))
    for slot, day in ((slots[1], 5), (slots[2], 18)):
        world.book(citizen, slot, quota=rolling(7, date(2020, 2, day), most=3))
    world.do(services.cancel, booking_id=first.booking_id, actor=citizen.actor)
    with pytest.raises(LimitReached) as refusal:
        world.book(citizen, slots[3], quantity=3, quota=rolling(7, date(2020, 2, 24), most=3))
    assert refusal.value.facts["again_on"] == "2020-02-25"
    world.book(citizen, slots[3], quantity=3, quota=rolling(7, date(2020, 2, 25), most=3))
    assert world.differences() == []


def test_no_third_piece_by_going_back_behind_a_later_window(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(3, 5)
    world.book(citizen, slots[0], quantity=2, quota=rolling(7, date(2020, 2, 16), most=2))
    world.book(citizen, slots[1], quota=rolling(7, date(2020, 2, 23), most=2))
    with pytest.raises(LimitReached):
        world.book(citizen, slots[2], quota=rolling(7, date(2020, 2, 18), most=2))


def test_a_cancellation_gives_back_only_to_the_window_it_was_taken_from(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(3, 5)
    old = world.book(citizen, slots[0], quota=rolling(7, date(2020, 2, 16)))
    world.book(citizen, slots[1], quota=rolling(7, date(2020, 2, 23)))
    world.do(services.cancel, booking_id=old.booking_id, actor=citizen.actor)
    assert world.used(citizen) == 1
    with pytest.raises(LimitReached):
        world.book(citizen, slots[2], quota=rolling(7, date(2020, 2, 24)))
    assert world.differences() == []


def test_a_quota_lowered_later_refuses_the_next_and_keeps_the_first(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(2, 5)
    world.book(citizen, slots[0], quantity=3, quota=weekly(most=3))
    with pytest.raises(LimitReached):
        world.book(citizen, slots[1], quota=weekly(most=2))
    assert world.differences() == []


def test_one_quota_more_than_the_whole_limit_is_refused_at_once(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(5)
    with pytest.raises(LimitReached):
        world.book(citizen, slot, quantity=2, quota=rolling())
    assert world.value("SELECT count(*) FROM booking.allowance") == 0


def test_a_hold_takes_places_and_quota_and_ends_with_the_slot_at_the_latest(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(1)
    now = datetime.now(UTC)
    held = world.hold(citizen, slot, minutes=5, now=now, quota=rolling())
    assert held.row.status == "held"
    assert held.row.held_until == now + timedelta(minutes=5)
    assert (world.taken(slot), world.used(citizen)) == (1, 1)
    long = world.hold(world.citizen(), world.slot(), minutes=60 * 24 * 9)
    assert long.row.held_until == long.row.ends_at
    assert world.differences() == []


def test_inside_a_transaction_a_refusal_leaves_the_transaction_usable(world: World) -> None:
    citizen = world.citizen()
    first, second = world.slots(2, 5)
    with world.database.transaction() as session:
        connection = session.connection()
        services.book(connection, order=order(citizen, first, quota=weekly()))
        with pytest.raises(LimitReached):
            services.book(connection, order=order(citizen, second, quota=weekly()))
    assert (world.taken(first), world.taken(second)) == (1, 0)
    assert world.differences() == []


def test_a_reference_drawn_twice_is_drawn_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["SAME0000", "SAME0000", "OTHER000"])
    monkeypatch.setattr("citizen_cloud.booking.services.taking._reference", lambda: next(drawn))
    slot = world.slot(5)
    references = [world.book(citizen, slot).reference for citizen in world.citizens(2)]
    assert references == ["SAME0000", "OTHER000"]


def test_a_slot_without_words_is_booked_and_says_so(world: World, fresh_database: Any) -> None:
    citizen, slot = world.citizen(), world.slot()
    with fresh_database.owner() as connection:
        connection.exec_driver_sql("DELETE FROM booking.slot_text")
    assert world.book(citizen, slot).row.title is None
    assert world.taken(slot) == 1


def test_the_bench_gets_the_statement_with_pgbenchs_variables() -> None:
    sql = for_pgbench(BOOK_RATIONED)
    assert "%(" not in sql
    assert "taken + :quantity::int <= capacity" in sql
    assert sql.endswith(";\n")
