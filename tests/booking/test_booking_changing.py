"""What becomes of a booking: each declared transition, its traces, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from booking_world import World, outcome, rolling
from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.booking import services
from citizen_cloud.booking.refusals import AlreadyRedeemed, HoldExpired, WrongState
from citizen_cloud.booking.rules import MOVES
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound, Refusal

VERBS = {
    "confirm": services.confirm,
    "cancel": services.cancel,
    "check_in": services.check_in,
    "undo_check_in": services.undo_check_in,
}
# What a verb answers from each status; everything not listed is ``state_conflict``.
ANSWERS = {
    ("confirm", "held"): "changed",
    ("confirm", "booked"): "unchanged",
    ("confirm", "expired"): "hold_expired",
    ("cancel", "held"): "changed",
    ("cancel", "booked"): "changed",
    ("cancel", "cancelled"): "unchanged",
    ("check_in", "booked"): "changed",
    ("check_in", "fulfilled"): "already_redeemed",
    ("undo_check_in", "fulfilled"): "changed",
}
STATUSES = ("held", "booked", "fulfilled", "cancelled", "expired")


def in_status(world: World, status: str) -> UUID:
    """Bring a booking into a status by the verbs that lead there."""
    citizen, slot = world.citizen(), world.slot(3)
    if status == "booked":
        return world.book(citizen, slot, quota=rolling()).booking_id
    booking_id = world.hold(citizen, slot, quota=rolling()).booking_id
    if status == "expired":
        later = datetime.now(UTC) + timedelta(minutes=6)
        world.do(services.expire_holds, slot_id=slot, now=later)
    if status == "fulfilled":
        world.do(services.confirm, booking_id=booking_id, actor=citizen.actor)
        world.do(services.check_in, booking_id=booking_id, actor=citizen.actor)
    if status == "cancelled":
        world.do(services.cancel, booking_id=booking_id, actor=citizen.actor)
    return booking_id


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", VERBS)
def test_every_verb_answers_every_status_as_declared(world: World, name: str, status: str) -> None:
    booking_id = in_status(world, status)
    assert world.status(booking_id) == status
    before = world.value("SELECT count(*) FROM audit.entry")
    try:
        result: Any = world.do(VERBS[name], booking_id=booking_id, actor=services.SYSTEM)
    except Refusal as refusal:
        result = refusal
    expected = ANSWERS.get((name, status), "state_conflict")
    assert outcome(result) == expected
    changed = expected == "changed"
    assert world.status(booking_id) == (MOVES[name].target if changed else status)
    assert world.value("SELECT count(*) FROM audit.entry") - before == int(changed)
    assert world.differences() == []


@pytest.mark.parametrize("name", VERBS)
def test_a_change_is_a_lock_and_one_statement(world: World, name: str) -> None:
    booking_id = in_status(world, MOVES[name].sources[0])
    with world.statements() as sent:
        world.do(VERBS[name], booking_id=booking_id, actor=services.SYSTEM)
    # An undo opens the slot for settling again.
    assert len(sent) == (3 if name == "undo_check_in" else 2)


def test_an_absent_booking_is_not_found(world: World) -> None:
    for verb in VERBS.values():
        with pytest.raises(NotFound):
            world.do(verb, booking_id=new_id(), actor=services.SYSTEM)


def test_a_cancellation_frees_the_place_and_the_quota_and_keeps_the_reason(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(1)
    booked = world.book(citizen, slot, quota=rolling())
    changed = world.do(
        services.cancel, booking_id=booked.booking_id, actor=citizen.actor, reason="来不了"
    )
    assert (changed.row.status, world.taken(slot), world.used(citizen)) == ("cancelled", 0, 0)
    assert world.value("SELECT cancel_reason FROM booking.booking") == "来不了"
    assert world.value("SELECT count(*) FROM audit.entry WHERE payload::text LIKE '%来不了%'") == 0
    world.book(citizen, slot, quota=rolling())
    assert world.differences() == []


def test_an_expired_hold_cannot_be_confirmed_though_no_sweeper_ran(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(1)
    now = datetime.now(UTC)
    held = world.hold(citizen, slot, minutes=5, now=now)
    late = {
        "booking_id": held.booking_id,
        "actor": citizen.actor,
        "now": now + timedelta(minutes=5),
    }
    with pytest.raises(HoldExpired):
        world.do(services.confirm, **late)
    just = {**late, "now": now + timedelta(minutes=5, microseconds=-1)}
    assert world.do(services.confirm, **just).row.status == "booked"


def test_the_sweeper_frees_exactly_what_has_run_out(world: World) -> None:
    slot = world.slot(5)
    now = datetime.now(UTC)
    early = world.hold(world.citizen(), slot, minutes=5, now=now, quota=rolling())
    late = world.hold(world.citizen(), slot, minutes=10, now=now)
    firm = world.book(world.citizen(), slot)
    at = now + timedelta(minutes=7)
    assert world.do(services.expire_holds, slot_id=slot, now=at) == 1
    assert world.do(services.expire_holds, slot_id=slot, now=at) == 0
    assert [world.status(b.booking_id) for b in (early, late, firm)] == [
        "expired",
        "held",
        "booked",
    ]
    assert world.taken(slot) == 2
    assert world.differences() == []


def test_what_nobody_collected_goes_back_when_the_slot_is_over(world: World) -> None:
    citizens = world.citizens(3)
    slot = world.slot(5)
    bookings = [world.book(citizen, slot, quota=rolling()).booking_id for citizen in citizens[:2]]
    held = world.hold(citizens[2], slot, minutes=1).booking_id
    world.do(services.check_in, booking_id=bookings[0], actor=services.SYSTEM)
    ends_at = world.value("SELECT ends_at FROM booking.slot WHERE id = :id", id=slot)
    before = {"module": "masks", "now": ends_at - timedelta(seconds=1)}
    assert world.do(services.expire_unclaimed, **before) == 0
    assert world.do(services.expire_unclaimed, module="clinics", now=ends_at) == 0
    assert world.do(services.expire_unclaimed, module="masks", now=ends_at) == 1
    assert world.do(services.expire_unclaimed, module="masks", now=ends_at) == 0
    found = [world.status(booking_id) for booking_id in (*bookings, held)]
    assert found == ["fulfilled", "expired", "expired"]
    assert (world.taken(slot), world.used(citizens[1])) == (1, 0)
    assert world.differences() == []


def test_an_undone_hand_over_in_a_settled_slot_expires_after_all(world: World) -> None:
    slot = world.slot(5)
    booking_id = world.book(world.citizen(), slot).booking_id
    world.do(services.check_in, booking_id=booking_id, actor=services.SYSTEM)
    ends_at = world.value("SELECT ends_at FROM booking.slot WHERE id = :id", id=slot)
    world.do(services.expire_unclaimed, module="masks", now=ends_at)
    world.do(services.undo_check_in, booking_id=booking_id, actor=services.SYSTEM)
    assert world.do(services.expire_unclaimed, module="masks", now=ends_at) == 1
    assert world.status(booking_id) == "expired"
    assert world.differences() == []


def test_a_settled_slot_takes_nothing_even_with_an_early_clock(world: World) -> None:
    slot = world.slot(5)
    ends_at = world.value("SELECT ends_at FROM booking.slot WHERE id = :id", id=slot)
    world.do(services.expire_unclaimed, module="masks", now=ends_at)
    with pytest.raises(Refusal) as refusal:
        world.book(world.citizen(), slot)
    assert refusal.value.code == "closed"


def test_the_second_clerk_hears_when_it_was_handed_over(world: World) -> None:
    booking_id = world.book(world.citizen(), world.slot()).booking_id
    now = datetime(2020, 2, 16, 9, 30, tzinfo=UTC)
    world.do(services.check_in, booking_id=booking_id, actor=services.SYSTEM, now=now)
    with pytest.raises(AlreadyRedeemed) as refusal:
        world.do(services.check_in, booking_id=booking_id, actor=services.SYSTEM)
    assert refusal.value.facts == {"redeemed_at": now}


def test_a_collected_booking_cannot_be_cancelled(world: World) -> None:
    booking_id = in_status(world, "fulfilled")
    with pytest.raises(WrongState) as refusal:
        world.do(services.cancel, booking_id=booking_id, actor=services.SYSTEM)
    assert refusal.value.facts == {"booking_status": "fulfilled"}


def test_a_transaction_that_fails_later_takes_its_transition_back(world: World) -> None:
    citizen, slot = world.citizen(), world.slot()
    booked = world.book(citizen, slot, quota=rolling())

    def cancel_and_fail(session: Session) -> None:
        services.cancel(session, booking_id=booked.booking_id, actor=citizen.actor)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        world.do(cancel_and_fail)
    assert (world.status(booked.booking_id), world.taken(slot)) == ("booked", 1)
    assert world.differences() == []


def test_every_event_names_the_booking_and_whom_to_tell(world: World) -> None:
    citizen = world.citizen()
    held = world.hold(citizen, world.slot())
    actor = {"booking_id": held.booking_id, "actor": citizen.actor}
    world.do(services.confirm, **actor)
    world.do(services.check_in, **actor)
    world.do(services.undo_check_in, **actor)
    world.do(services.cancel, **actor)
    with world.database.transaction() as session:
        rows = session.execute(text("SELECT event, payload FROM jobs.outbox ORDER BY id")).all()
    assert [row.event for row in rows] == [
        "booking.held",
        "booking.confirmed",
        "booking.fulfilled",
        "booking.undone",
        "booking.cancelled",
    ]
    assert all(row.payload == rows[0].payload for row in rows)
    assert rows[0].payload["account_id"] == str(citizen.account_id)
