"""What the room adds to the machinery: sweeping, forgetting, exporting, erasing."""

from datetime import UTC, datetime, timedelta
from typing import Any

from booking_world import World, rolling

from citizen_cloud.booking import contribution as room
from citizen_cloud.booking import services
from citizen_cloud.db import Base
from citizen_cloud.manifest import Subject


def test_the_sweeper_asks_the_databases_clock_and_not_the_workers(world: World) -> None:
    slot = world.slot(2)
    now = datetime.now(UTC)
    held = world.hold(world.citizen(), slot, minutes=5)
    lapsed = world.hold(world.citizen(), slot, minutes=5, now=now - timedelta(minutes=6))
    assert room.expire_holds(now + timedelta(days=300)) == 1
    assert world.status(held.booking_id) == "held"
    assert world.status(lapsed.booking_id) == "expired"
    assert room.expire_holds(now) == 0


def test_the_sweeper_runs_every_ten_seconds() -> None:
    jobs = {job.name: job for job in room.contribution.jobs}
    assert jobs["booking.expire_holds"].cron == "* * * * * */10"


def test_quotas_are_forgotten_long_after_their_period_and_never_before(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(5)
    booked = world.book(citizen, slot, quota=rolling())
    now = datetime.now(UTC)
    assert room.forget_quotas(now + timedelta(days=30)) == 0
    assert room.forget_quotas(now + timedelta(days=64)) == 1
    assert world.value("SELECT count(*) FROM booking.allowance") == 0
    assert world.value("SELECT person_key FROM booking.booking") is None
    assert world.status(booked.booking_id) == "booked"
    assert world.differences() == []


def test_a_quota_still_in_use_elsewhere_is_kept(world: World) -> None:
    citizen = world.citizen()
    now = datetime.now(UTC)
    world.book(citizen, world.slot(5), quota=rolling(most=2))
    late = world.slot(
        starts_at=now + timedelta(days=40), ends_at=now + timedelta(days=41), capacity=5
    )
    world.book(citizen, late, quota=rolling(most=2))
    assert room.forget_quotas(now + timedelta(days=64)) == 0


def subject(citizen: Any) -> Subject:
    return Subject(account_id=citizen.account_id, person_id=citizen.person_id)


def test_the_export_holds_what_was_booked_by_and_for_an_account(world: World) -> None:
    citizen, guardian, stranger = world.citizens(3)
    own = world.book(citizen, world.slot())
    world.book(citizen, world.slot(), booked_by=guardian.account_id)
    world.book(stranger, world.slot())
    exported = world.do(room.export, subject=subject(citizen))["bookings"]
    assert len(exported) == 2
    assert exported[0]["reference"] == own.reference
    guardians = world.do(room.export, subject=subject(guardian))
    assert guardians["bookings"] == []
    # That it was made, not where the other one goes.
    assert len(guardians["booked_for_others"]) == 1
    assert "reference" not in guardians["booked_for_others"][0]


def test_erasure_blanks_words_and_keeps_counts_and_quota(world: World) -> None:
    citizen, slot = world.citizen(), world.slot(3)
    kept = world.book(citizen, slot, quota=rolling())
    gone = world.book(citizen, world.slot())
    world.do(services.cancel, booking_id=gone.booking_id, actor=citizen.actor, reason="我病了")
    facts: dict[str, Any] = {"subject": subject(citizen), "now": datetime.now(UTC)}
    assert world.do(room.erase, **facts) == 2
    assert world.do(room.erase, **facts) == 0
    assert world.value("SELECT count(*) FROM booking.booking WHERE cancel_reason <> ''") == 0
    assert (world.status(kept.booking_id), world.used(citizen)) == ("booked", 1)
    assert world.differences() == []


def test_every_table_of_the_room_with_a_person_or_account_is_declared() -> None:
    declared = room.contribution.personal_data
    assert declared is not None
    keys = {"person_id", "person_key", "booked_by", "account_id"}
    found = {
        f"{table.schema}.{table.name}"
        for table in Base.metadata.sorted_tables
        if table.schema == "booking" and keys & set(table.columns.keys())
    }
    assert found == declared.tables
