"""Floods: however many ask, a number is texted ten times a day, and a code is used once.

300 requests in the suite, 10,000 with ``PROVE=1``.
"""

import json
import os
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.app import contributions
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.jobs.services import secret_place
from citizen_cloud.messages import senders
from citizen_cloud.messages.jobs import deliver_due
from citizen_cloud.web.limits import Limiter

SENDS = 10_000 if os.environ.get("PROVE") else 300
AT_ONCE = 8
SPELLINGS = ("{}", "+86{}", "86 {}", "+86 {}", "0086{}", "+86-{}")
# Each minute of these is another one to the resend rule, which would otherwise stop the flood.
MINUTES = 12


class Heard:
    """A gateway that only listens."""

    def __init__(self):
        self.to = []

    def send(self, sms):
        self.to.append(sms.to)


@pytest.fixture
def heard():
    before = list(senders._installed)
    gateway = Heard()
    senders.install(gateway)
    yield gateway
    senders._installed[:] = before


@pytest.fixture
def flood(shared_app, fresh_database, allow, monkeypatch):
    """Ask from everywhere at once: networks and addresses are no help, the number's day is."""
    allow(codes_per_network=10**6, failures_per_network=10**6, texts=10**6)
    monkeypatch.setattr(Limiter, "_count", lambda *_: (1, 60))

    def post(path, body):
        client = shared_app.test_client(use_cookies=False)
        client.environ_base["REMOTE_ADDR"] = "10." + ".".join(
            str(secrets.randbelow(256)) for _ in range(3)
        )
        return client.post("/api/v1" + path, json=body)

    return post


def a_minute_passes():
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.otp_day SET last_sent_at = last_sent_at - interval '61 s'")
        )


def test_a_flood_of_requests_texts_a_number_ten_times(flood, heard, record_property):
    number = "13800138000"
    statuses = Counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for minute in range(MINUTES):
            share = range(minute, SENDS, MINUTES)
            bodies = [{"phone": SPELLINGS[n % len(SPELLINGS)].format(number)} for n in share]
            statuses.update(
                answer.status_code
                for answer in pool.map(lambda body: flood("/auth/otp", body), bodies)
            )
            a_minute_passes()
    handlers = {}
    for room in contributions():
        for name, handler in room.handlers.items():
            handlers.setdefault(name, []).append(handler)
    while dispatch(handlers):
        pass
    while deliver_due(clock.now()):
        pass
    record_property("trials", SENDS)
    record_property("facts", f"{len(heard.to)} texts")
    assert statuses == {202: 10, 429: SENDS - 10}
    assert heard.to == ["+8613800138000"] * 10


def code_of(challenge):
    with db.transaction() as session:
        row = session.execute(
            text("SELECT id, secret FROM jobs.outbox WHERE payload ->> 'challenge_id' = :id"),
            {"id": challenge},
        ).one()
        place = secret_place(row.id)
        return json.loads(crypto.current().open(row.secret, place=place))["code"]


def test_of_a_hundred_parallel_tries_over_http_one_signs_in(flood, record_property):
    rounds = 10 if os.environ.get("PROVE") else 1
    for turn in range(rounds):
        asked = flood("/auth/otp", {"phone": f"139{turn:08d}"})
        challenge = asked.json["challenge_id"]
        body = {"grant_type": "otp", "challenge_id": challenge, "code": code_of(challenge)}
        with ThreadPoolExecutor(25) as pool:
            answers = list(pool.map(lambda _, sent=body: flood("/auth/token", sent), range(100)))
        assert sorted({answer.status_code for answer in answers}) == [200, 401]
        assert sum(answer.status_code == 200 for answer in answers) == 1
    record_property("trials", 100 * rounds)


def test_resending_buys_no_more_than_twenty_guesses_an_hour(flood, record_property):
    """Five tries a code, and another code each minute: the twentieth failure ends it."""
    number, tried, challenges = "13700137000", 0, 0
    for _ in range(MINUTES):
        asked = flood("/auth/otp", {"phone": number})
        if asked.status_code == 429:
            break
        challenges += 1
        challenge = asked.json["challenge_id"]
        right = code_of(challenge)
        for guess in range(8):
            wrong = f"{(int(right) + 1 + guess) % 10**6:06d}"
            body = {"grant_type": "otp", "challenge_id": challenge, "code": wrong}
            flood("/auth/token", body)
        a_minute_passes()
    with db.transaction() as session:
        tried = session.scalar(text("SELECT sum(tries) FROM accounts.otp_challenge"))
        counted = session.scalar(text("SELECT sum(failures) FROM accounts.otp_day"))
    record_property("facts", f"{tried} guesses over {challenges} codes")
    assert (challenges, tried, counted) == (4, 20, 20)
    assert asked.json["retry_after"] > 3000
