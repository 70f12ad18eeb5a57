"""Lists of bookings: one SELECT each, in a stable order."""

from datetime import UTC, datetime, timedelta

from booking_world import World

from citizen_cloud.booking import queries, services
from citizen_cloud.booking.schemas import BookingSchema, booking_json
from citizen_cloud.db import new_id


def test_the_agenda_is_one_select_whatever_the_number_of_modules(world: World) -> None:
    citizen = world.citizen()
    now = datetime.now(UTC)
    times = [now + timedelta(hours=hours) for hours in (30, 10, 20)]
    for module, starts_at in zip(("masks", "clinics", "culture"), times, strict=True):
        slot = world.slot(
            module=module,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            closes_at=starts_at,
        )
        world.book(citizen, slot)
    with world.database.statement() as connection, world.statements() as sent:
        rows = queries.agenda(connection, citizen.person_id)
    assert len(sent) == 1
    assert [row.module for row in rows] == ["clinics", "culture", "masks"]
    assert all(row.title["zh"] == "成人口罩" for row in rows)


def test_the_agenda_leaves_out_what_is_over_cancelled_or_run_out(world: World) -> None:
    citizen = world.citizen()
    slots = world.slots(4)
    kept = world.book(citizen, slots[0])
    gone = world.book(citizen, slots[1])
    world.do(services.cancel, booking_id=gone.booking_id, actor=citizen.actor)
    held = world.hold(citizen, slots[2], minutes=5)
    with world.database.statement() as connection:
        now = datetime.now(UTC)
        ids = [row.id for row in queries.agenda(connection, citizen.person_id, now)]
        assert ids == [kept.booking_id, held.booking_id]
        late = queries.agenda(connection, citizen.person_id, now + timedelta(minutes=6))
        assert [row.id for row in late] == [kept.booking_id]
        over = queries.agenda(connection, citizen.person_id, now + timedelta(days=3))
        assert over == []


def test_a_persons_bookings_page_newest_first_without_gap_or_repeat(world: World) -> None:
    citizen = world.citizen()
    made = [world.book(citizen, slot).booking_id for slot in world.slots(7)]
    with world.database.statement() as connection:
        found, cursor = [], None
        while page := queries.bookings_of(connection, citizen.person_id, cursor=cursor, limit=3):
            found += [row.id for row in page]
            cursor = page[-1].id
    assert found == sorted(made, reverse=True)


def test_bookings_are_filtered_by_status(world: World) -> None:
    citizen = world.citizen()
    first, second = (world.book(citizen, slot) for slot in world.slots(2))
    world.do(services.cancel, booking_id=first.booking_id, actor=citizen.actor)
    with world.database.statement() as connection:
        rows = queries.bookings_of(connection, citizen.person_id, "cancelled")
        assert [row.id for row in rows] == [first.booking_id]
        booked = queries.bookings_of(connection, citizen.person_id, "booked")
        assert [row.id for row in booked] == [second.booking_id]


def test_a_booking_is_found_by_id_and_by_its_reference_as_people_write_it(world: World) -> None:
    booked = world.book(world.citizen(), world.slot())
    with world.database.statement() as connection:
        assert queries.booking_facts(connection, booked.booking_id) == booked.row
        assert queries.booking_facts(connection, new_id()) is None
        spelt = f" {booked.reference.lower()} "
        assert queries.booking_by_reference(connection, spelt) == booked.row


def test_a_slots_bookings_are_listed_in_the_order_they_were_made(world: World) -> None:
    slot = world.slot(3)
    made = [world.book(citizen, slot) for citizen in world.citizens(3)]
    world.do(services.cancel, booking_id=made[1].booking_id, actor=services.SYSTEM)
    with world.database.statement() as connection:
        held = [row.id for row in queries.bookings_in(connection, slot)]
        assert held == [made[0].booking_id, made[2].booking_id]
        gone = queries.bookings_in(connection, slot, ("cancelled",))
        assert [row.id for row in gone] == [made[1].booking_id]


def test_a_booking_goes_out_with_the_citys_offset_and_a_masked_name(world: World) -> None:
    booked = world.book(world.citizen(), world.slot())
    body = booking_json(booked.row, masked_name="王*明", actions=("show", "cancel"))
    sent = BookingSchema().dump(body)
    assert sent["slot"]["starts_at"].endswith("+08:00")
    assert sent["person"] == {"name": "王*明"}
    assert sent["actions"] == ["show", "cancel"]
    assert set(sent) == {
        "id",
        "module",
        "status",
        "reference",
        "quantity",
        "held_until",
        "booked_at",
        "slot",
        "person",
        "actions",
    }
