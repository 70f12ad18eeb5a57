"""The auditor sees every kind of tampering; on an honest database it is silent."""

from typing import Any

import pytest
from booking_world import World, rolling

from citizen_cloud.booking import auditor, services

TAMPERING = {
    "conservation": "UPDATE booking.slot SET taken = taken + 1",
    "oversold": "ALTER TABLE booking.slot DROP CONSTRAINT ck_slot_within_capacity; "
    "UPDATE booking.slot SET capacity = 0",
    "allowance": "UPDATE booking.allowance SET used = 0",
    "over_quota": "ALTER TABLE booking.allowance DROP CONSTRAINT ck_allowance_within_limit; "
    "UPDATE booking.allowance SET max = 0",
    "key_used_twice": "ALTER TABLE booking.booking "
    "DROP CONSTRAINT uq_booking_booked_by_request_key; "
    "UPDATE booking.booking SET request_key = 'same', booked_by = "
    "(SELECT booked_by FROM booking.booking LIMIT 1)",
    "person_twice_in_slot": "DROP INDEX booking.uq_booking_slot_person; "
    "UPDATE booking.booking SET person_id = (SELECT person_id FROM booking.booking LIMIT 1)",
    "ledger_chain": "UPDATE booking.ledger SET delta = 2 WHERE seq = 1",
    "ledger_head": "DELETE FROM booking.ledger WHERE seq = (SELECT max(seq) FROM booking.ledger)",
    "ledger_of_booking": "UPDATE booking.ledger SET booking_id = "
    "(SELECT booking_id FROM booking.ledger ORDER BY seq LIMIT 1)",
    "audit": "DELETE FROM audit.entry WHERE action = 'booking.cancelled'",
    "outbox": "DELETE FROM jobs.outbox WHERE event = 'booking.booked'",
}


@pytest.fixture
def busy(world: World) -> World:
    slot = world.slot(5)
    citizens = world.citizens(3)
    bookings = [world.book(citizen, slot, quota=rolling()) for citizen in citizens]
    world.do(services.cancel, booking_id=bookings[2].booking_id, actor=citizens[2].actor)
    world.do(services.check_in, booking_id=bookings[0].booking_id, actor=services.SYSTEM)
    return world


def test_an_honest_database_adds_up(busy: World) -> None:
    assert busy.differences() == []


@pytest.mark.parametrize("kind", TAMPERING)
def test_tampering_is_reported_by_its_name(busy: World, fresh_database: Any, kind: str) -> None:
    with fresh_database.owner() as connection:
        for sql in TAMPERING[kind].split("; "):
            connection.exec_driver_sql(sql)
    assert kind in {difference.kind for difference in busy.differences()}


def test_a_booking_slipped_in_without_its_traces_is_reported(
    busy: World, fresh_database: Any
) -> None:
    with fresh_database.owner() as connection:
        connection.exec_driver_sql(
            "UPDATE booking.booking SET status = 'booked' WHERE status = 'cancelled'"
        )
    kinds = {difference.kind for difference in busy.differences()}
    assert {"conservation", "allowance", "ledger_of_booking", "audit"} <= kinds


def test_the_auditor_is_one_statement_and_changes_nothing(busy: World) -> None:
    with busy.database.statement() as connection, busy.statements() as sent:
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        assert auditor.differences(connection) == []
        connection.exec_driver_sql("RESET default_transaction_read_only")
    assert len(sent) == 3
