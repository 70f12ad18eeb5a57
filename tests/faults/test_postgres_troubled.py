"""PostgreSQL dismisses everybody, refuses, stalls, is read-only: 503 with Retry-After, then on.

Every refusal is a typed problem, nothing waits for ever, and no request fails for trouble that
is over.
"""

import json
import os
import signal
import time
from collections import Counter
from threading import Thread

import pytest
from bench import cpu, load
from live import serving
from stubborn import Crowd, missing, wishes

PROVE = bool(os.environ.get("PROVE"))
CITIZENS = 600 if PROVE else 120
ROUNDS = 10 if PROVE else 2
DISMISS = """
SELECT count(pg_terminate_backend(pid, 2000)) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = 'citizen_cloud_app'
"""


@pytest.fixture(scope="module")
def city(shared_world):
    return shared_world.people(CITIZENS, outlets=8)


@pytest.fixture(scope="module")
def server(city):
    with serving(city.settings, city.log, workers=2) as running:
        yield running


def home(citizen, count=1):
    return [load.request("GET", "/api/v1/home", token=citizen.token())] * count


def ask(server, requests, connections=40):
    """Send each request once; return (status, head, body) of each."""
    answers = []

    def keep(status, raw):
        head, _, body = raw.partition(b"\r\n\r\n")
        answers.append((status, head.decode(), json.loads(body or b"null")))

    sent = load.drive(server.port, requests, connections=connections, seconds=30, keep=keep)
    assert sent.broken == 0
    assert len(answers) == len(requests)
    return answers


def statuses(answers):
    return Counter(status for status, _, _ in answers)


def assert_unavailable(answers):
    for status, head, body in answers:
        assert status == 503, (status, body)
        assert body["code"] == "unavailable"
        assert "Retry-After: " in head
        assert "application/problem+json" in head


def administer(city, *statements):
    with city.owner() as connection:
        for statement in statements:
            connection.execute(statement)


def test_no_request_fails_after_everybody_was_dismissed(city, server, record_property):
    record_property("trials", 200 * ROUNDS)
    asked = home(city.citizens[0], 200)
    assert statuses(ask(server, asked)) == {200: 200}
    for _ in range(ROUNDS):
        administer(city, DISMISS)
        assert statuses(ask(server, asked)) == {200: 200}


def test_no_request_fails_after_a_restart_that_is_over(city, server, record_property):
    record_property("trials", 200)
    asked = home(city.citizens[0], 200)
    ask(server, asked)
    city.postgres.stop("fast")
    assert_unavailable(ask(server, asked[:20]))
    city.postgres.start()
    assert statuses(ask(server, asked)) == {200: 200}


def test_bookings_survive_dismissals_in_their_midst(city, server, record_property):
    offers = city.offers(capacity=100_000)
    wished = wishes(city.citizens, offers, per_citizen=4)
    crowd = Crowd(server.port)

    def dismiss():
        for _ in range(4 * ROUNDS):
            time.sleep(0.15)
            administer(city, DISMISS)

    crowd.fulfil(wished, meanwhile=dismiss)
    record_property("trials", len(wished))
    record_property("facts", f"met on the way {dict(crowd.met)}")
    assert {wish.status for wish in wished} == {201}
    assert missing(city, wished) == ([], [], set())
    assert city.audit() == []


def test_a_read_only_database_serves_reads_and_refuses_bookings(city, server):
    offers = city.offers(capacity=100)
    wish = wishes(city.citizens[:1], offers)[0]
    booking = load.request(
        "POST",
        f"/api/v1/masks/offers/{wish.offer}/bookings",
        token=wish.token,
        key="k",
        body=b'{"quantity": 1}',
    )
    name = f'ALTER DATABASE "{city.name}"'
    administer(city, f"{name} SET default_transaction_read_only = on", DISMISS)
    assert_unavailable(ask(server, [booking] * 4))
    assert statuses(ask(server, home(city.citizens[0], 20))) == {200: 20}
    with city.outside() as connection:
        connection.execute(f"{name} RESET default_transaction_read_only")
        connection.execute(DISMISS.replace("current_database()", f"'{city.name}'"))
    assert statuses(ask(server, [booking])) == {201: 1}


def test_a_database_that_takes_no_connections_is_a_passing_trouble(city, server):
    asked = home(city.citizens[0], 40)
    ask(server, asked)
    administer(city, "ALTER ROLE citizen_cloud_app CONNECTION LIMIT 0", DISMISS)
    try:
        began = time.monotonic()
        assert_unavailable(ask(server, asked))
        assert time.monotonic() - began < 5
    finally:
        administer(city, "ALTER ROLE citizen_cloud_app CONNECTION LIMIT -1")
    assert statuses(ask(server, asked)) == {200: 40}


def test_a_used_up_pool_refuses_in_bounded_time_and_recovers(city, server):
    offer = city.offers(capacity=1_000, count=1)[0]
    wished = wishes(city.citizens[:60], [offer])
    crowd = Crowd(server.port, threads=60)
    with city.owner() as connection, connection.transaction():
        connection.execute("SELECT 1 FROM booking.slot WHERE id = %s FOR UPDATE", [offer])
        stuck = Thread(target=crowd.fulfil, args=(wished,))
        stuck.start()
        time.sleep(1)
        began = time.monotonic()
        answers = ask(server, home(city.citizens[-1], 10), connections=10)
        waited = time.monotonic() - began
        assert set(statuses(answers)) <= {200, 503}
        assert_unavailable([answer for answer in answers if answer[0] != 200])
        assert waited < 12
    stuck.join(60)
    assert {wish.status for wish in wished} == {201}
    assert set(crowd.met) <= {201, 503}, "only typed refusals"
    assert missing(city, wished) == ([], [], set())
    assert city.audit() == []


def test_a_stalled_postgresql_is_waited_for_a_moment_and_forgiven(city, server):
    """Stop every server process; the requests wait, and are answered when it goes on."""
    asked = home(city.citizens[0], 20)
    ask(server, asked)
    family = [city.postgres.process.pid, *cpu.children(city.postgres.process.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        got = []
        waiting = Thread(target=lambda: got.extend(ask(server, asked)))
        waiting.start()
        time.sleep(1.5)
        assert not got
        assert server.status("/livez") == 200, "the workers hang with their database"
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)
    waiting.join(20)
    assert set(statuses(got)) <= {200, 503}
    assert statuses(ask(server, asked)) == {200: 20}
