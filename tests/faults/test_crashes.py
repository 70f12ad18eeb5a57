"""What was acknowledged survives: a worker killed, PostgreSQL stopped like a power cut.

Sixteen clients book through HTTP and repeat every unanswered request with the same key. After
the run each 201 must be in the database, nothing twice, nothing nobody asked for, the auditor
green; and nobody had to lift a hand. ``PROVE=1`` runs the large counts.
"""

import os
import signal
import time
from itertools import pairwise

import pytest
from live import serving
from stubborn import Crowd, missing, wishes

PROVE = bool(os.environ.get("PROVE"))
CITIZENS = 3_000 if PROVE else 300
ROUNDS = 4 if PROVE else 2
STRIKES = 12 if PROVE else 3
SECONDS_TO_RECOVER = 15


@pytest.fixture
def city(world):
    world.people(CITIZENS, outlets=20)
    return world


def longest_gap(answered_at):
    """Return the seconds without any answer, at the worst."""
    ordered = sorted(answered_at)
    return max(b - a for a, b in pairwise(ordered))


def check(city, wished, crowd, record_property, strikes):
    lost, twice, nobodys = missing(city, wished)
    statuses = {wish.status for wish in wished}
    booked = sum(wish.status == 201 for wish in wished)
    gap = longest_gap(crowd.answered_at)
    record_property("trials", booked)
    record_property(
        "facts",
        f"{strikes} strikes, {booked} acknowledged, {sum(w.replayed for w in wished)} found by "
        f"their key, longest silence {gap:.1f} s, met on the way {dict(crowd.met)}",
    )
    assert lost == []
    assert twice == []
    assert nobodys == set()
    assert statuses == {201}
    assert city.audit() == []
    assert gap < SECONDS_TO_RECOVER


def test_killed_workers_lose_and_double_nothing(city, record_property):
    offers = city.offers(capacity=CITIZENS * ROUNDS)
    wished = wishes(city.citizens, offers, per_citizen=ROUNDS)
    with serving(city.settings, city.log, workers=2) as server:
        crowd = Crowd(server.port)

        def strike():
            for _ in range(STRIKES):
                time.sleep(0.4)
                workers = server.workers()
                if workers:
                    os.kill(workers[0], signal.SIGKILL)

        crowd.fulfil(wished, meanwhile=strike)
        assert server.status("/readyz") == 200
        check(city, wished, crowd, record_property, STRIKES)


def test_an_immediate_stop_of_postgresql_loses_and_doubles_nothing(city, record_property):
    offers = city.offers(capacity=CITIZENS * ROUNDS)
    wished = wishes(city.citizens, offers, per_citizen=ROUNDS)
    strikes = max(1, STRIKES // 3)
    with serving(city.settings, city.log, workers=2) as server:
        crowd = Crowd(server.port)

        def strike():
            for _ in range(strikes):
                time.sleep(0.5)
                city.postgres.stop("immediate")
                city.postgres.start()

        crowd.fulfil(wished, meanwhile=strike)
        assert server.status("/readyz") == 200
        check(city, wished, crowd, record_property, strikes)


def test_the_harness_notices_an_acknowledged_booking_that_is_gone(city):
    offers = city.offers(capacity=CITIZENS)
    wished = wishes(city.citizens[:40], offers)
    with serving(city.settings, city.log, workers=1) as server:
        Crowd(server.port).fulfil(wished)
    victim = wished[7]
    with city.owner() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM booking.booking WHERE id = %s", [victim.booking_id])
    assert missing(city, wished)[0] == [victim.key]
    assert {difference.kind for difference in city.audit()} >= {"conservation"}


def test_the_harness_notices_a_double_and_a_booking_of_nobody(city):
    offers = city.offers(capacity=CITIZENS)
    wished = wishes(city.citizens[:20], offers)
    with serving(city.settings, city.log, workers=1) as server:
        Crowd(server.port).fulfil(wished)
    with city.owner() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "ALTER TABLE booking.booking DROP CONSTRAINT uq_booking_booked_by_request_key"
        )
        connection.execute("DROP INDEX booking.uq_booking_slot_person")
        connection.execute(
            "INSERT INTO booking.booking SELECT (jsonb_populate_record(b, jsonb_build_object("
            "'id', uuidv7(), 'reference', 'TWICE'))).* FROM booking.booking b WHERE id = %s",
            [wished[3].booking_id],
        )
    _, twice, nobodys = missing(city, wished)
    assert len(twice) == len(nobodys) == 1
