"""A thousand citizens at once, through HTTP and two workers: exactly so many as there is room."""

import json
import os
from collections import Counter
from itertools import cycle, islice

import pytest
from bench import load
from live import serving

PROVE = bool(os.environ.get("PROVE"))
CALLERS = 1_000
PLACES = 50
TIMES = 8 if PROVE else 1
# Citizens of the smaller crowds, each with an untouched quota.
OTHERS = 250


@pytest.fixture(scope="module")
def city(shared_world):
    return shared_world.people(CALLERS + OTHERS, outlets=TIMES)


@pytest.fixture(scope="module")
def server(city):
    with serving(city.settings, city.log, workers=2) as running:
        yield running


def booking(citizen, offer, key, quantity=1, token=None):
    return load.request(
        "POST",
        f"/api/v1/masks/offers/{offer}/bookings",
        token=token or citizen.token(),
        body=json.dumps({"quantity": quantity}).encode(),
        key=key,
    )


def at_once(server, requests):
    """Send each request once, a hundred connections at a time; return (status, body) pairs."""
    answers = []

    def keep(status, raw):
        answers.append((status, json.loads(raw.partition(b"\r\n\r\n")[2] or b"null")))

    sent = load.drive(server.port, requests, connections=100, seconds=40, keep=keep)
    assert sent.broken == 0
    assert len(answers) == len(requests)
    return answers


def codes(answers):
    return Counter(body["code"] for status, body in answers if status >= 400)


def test_of_a_thousand_callers_for_fifty_places_exactly_fifty_get_one(
    city, server, record_property
):
    record_property("trials", CALLERS * TIMES)
    for number, offer in enumerate(city.offers(capacity=PLACES)):
        requests = [booking(citizen, offer, f"k{number}") for citizen in city.citizens[:CALLERS]]
        answers = at_once(server, requests)
        statuses = Counter(status for status, _ in answers)
        assert statuses == {201: PLACES, 409: CALLERS - PLACES}
        assert codes(answers) == {"full": CALLERS - PLACES}
        held = city.rows(
            "SELECT s.taken, count(*), sum(b.quantity) FROM booking.slot s "
            "JOIN booking.booking b ON b.slot_id = s.id WHERE s.id = %s GROUP BY s.id",
            offer,
        )
        assert held == [(PLACES, PLACES, PLACES)]
        booked = {body["id"] for status, body in answers if status == 201}
        assert len(booked) == PLACES
    assert city.audit() == []


def test_one_person_a_hundred_times_gets_one_place(city, server, record_property):
    record_property("trials", 100 * TIMES)
    for number, offer in enumerate(city.offers(capacity=1_000)):
        citizen = city.citizens[CALLERS + number]
        token = citizen.token()
        requests = [
            booking(citizen, offer, f"k{number}-{turn}", token=token) for turn in range(100)
        ]
        answers = at_once(server, requests)
        refused = codes(answers)
        assert refused.keys() <= {"already_booked", "rate_limited"}
        assert refused["already_booked"] >= 29
        assert refused.total() == 99
    assert city.audit() == []


def test_one_request_a_hundred_times_is_one_booking(city, server, record_property):
    record_property("trials", 100 * TIMES)
    for number, offer in enumerate(city.offers(capacity=1_000)):
        request = booking(city.citizens[CALLERS + 10 + number], offer, "the-key")
        answers = at_once(server, [request] * 100)
        booked = [body["id"] for status, body in answers if status == 201]
        assert codes(answers).keys() <= {"rate_limited"}
        assert len(booked) >= 30
        assert len(set(booked)) == 1
    assert city.audit() == []


def test_who_took_the_last_place_gets_it_again_from_every_worker(city, server):
    offer = city.offers(capacity=1, count=1)[0]
    last, late = city.citizens[CALLERS + 20 : CALLERS + 22]
    request = booking(last, offer, "last")
    first = at_once(server, [request])[0]
    assert first[0] == 201
    refused = [booking(late, offer, f"late{turn}") for turn in range(40)]
    # Both workers know by now that the slot is full; the retry must still find its booking.
    mixed = list(islice(cycle([request, *refused[:3]]), 80))
    answers = at_once(server, refused) + at_once(server, mixed)
    own = [body["id"] for status, body in answers if status == 201]
    assert own == [first[1]["id"]] * 20
    assert codes(answers).keys() <= {"full", "rate_limited"}
    assert codes(answers).total() == 100


def test_four_cancellations_at_once_free_once(city, server, record_property):
    record_property("trials", 4 * 25 * TIMES)
    offer = city.offers(capacity=1_000, count=1)[0]
    for citizen in city.citizens[CALLERS + 30 :][: 25 * TIMES]:
        token = citizen.token()
        booked = at_once(server, [booking(citizen, offer, "k", token=token)])[0][1]
        path = f"/api/v1/bookings/{booked['id']}/cancel"
        cancel = load.request("POST", path, token=token, body=b"{}")
        answers = at_once(server, [cancel] * 4)
        assert Counter(status for status, _ in answers) == {200: 4}
        assert {body["status"] for _, body in answers} == {"cancelled"}
    assert city.rows("SELECT taken FROM booking.slot WHERE id = %s", offer) == [(0,)]
    assert city.rows(
        "SELECT count(*) FROM booking.ledger WHERE slot_id = %s AND delta < 0", offer
    ) == [(25 * TIMES,)]
    assert city.audit() == []
