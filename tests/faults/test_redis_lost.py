"""Redis may stop, forget, lie, hang or never have been there: citizens notice nothing.

Signing in, the home screen and booking go on through HTTP; what a dead Redis may cost is one
time-out (50 ms) a worker every two seconds, not one a request.
"""

import os
import signal
import time
from dataclasses import replace
from statistics import median

import pytest
from live import serving
from redis import Redis as Client
from stubborn import Crowd, wishes

from citizen_cloud.accounts.services.otp import code_hash
from citizen_cloud.cache import BREAK_S, TIMEOUT_S
from citizen_cloud.embedded.account import account_for
from citizen_cloud.embedded.redis import Redis

CODE = "271828"
BOOKINGS = 400 if os.environ.get("PROVE") else 60


@pytest.fixture
def redis(durable, tmp_path):
    server = Redis(durable.run, account_for(durable.cluster), log=tmp_path / "redis.log")
    if not server.start():
        pytest.skip("no Redis program here")
    yield server
    if server.is_running:
        server.process.send_signal(signal.SIGCONT)
    server.stop()


@pytest.fixture
def city(world):
    return world.people(BOOKINGS, outlets=8)


class Life:
    """What a city does all day, on one server."""

    def __init__(self, city, server):
        self.city = city
        self.server = server
        self.phones = iter(range(10_000_000, 99_999_999))
        self.turn = 0
        self.offers = city.offers(capacity=100_000)

    def sign_in(self):
        phone = f"199{next(self.phones)}"
        status, _, sent = self.server.call("POST", "/api/v1/auth/otp", {"phone": phone})
        assert status == 202, sent
        challenge_id = sent["challenge_id"]
        with self.city.owner() as connection:
            connection.execute(
                "UPDATE accounts.otp_challenge SET code_hash = %s WHERE id = %s",
                [code_hash(challenge_id, "sign_in", CODE), challenge_id],
            )
        grant = {"grant_type": "otp", "challenge_id": challenge_id, "code": CODE}
        grant["device"] = {"name": "手机"}
        status, _, tokens = self.server.call("POST", "/api/v1/auth/token", grant)
        assert status == 200, tokens
        return tokens["access_token"]

    def book(self, count):
        """Let one citizen after another book, each once; return the seconds of each."""
        self.turn += 1
        offer = self.offers[self.turn % len(self.offers)]
        wished = wishes(self.city.citizens[:count], [offer])
        crowd = Crowd(self.server.port, threads=2)
        crowd.fulfil(wished)
        assert {wish.status for wish in wished} == {201}
        assert set(crowd.met) == {201}, "somebody had to ask twice"
        return [wish.seconds for wish in wished]

    def day(self, count=BOOKINGS):
        token = self.sign_in()
        status, _, _ = self.server.call("GET", "/api/v1/home", token=token)
        assert status == 200
        return self.book(count)


def cost(usual, now):
    """Return what a request costs more, in the middle: a time-out each would show."""
    return median(now) - median(usual)


def times_waited(city):
    """Return how often a worker waited for Redis in vain: each time it says so."""
    return city.log.read_text().count("redis_unusable")


def garbage_in_every_key(client):
    keys = list(client.scan_iter())
    assert keys, "nothing uses Redis: this proves nothing"
    for number, key in enumerate(keys):
        client.delete(key)
        if number % 3 == 0:
            client.set(key, b"\xff\xfe\x00 not a number")
        elif number % 3 == 1:
            client.lpush(key, "wrong", "type")
        else:
            client.set(key, '{"__class__": "os.system"}')


def test_redis_may_forget_lie_hang_and_die(city, redis, record_property):
    with serving(replace(city.settings, redis_url=redis.url), city.log, workers=2) as server:
        life = Life(city, server)
        usual = life.day()
        client = Client(unix_socket_path=str(redis.socket))
        client.flushall()
        life.day()
        garbage_in_every_key(client)
        life.day()
        client.flushall()

        redis.process.send_signal(signal.SIGSTOP)
        time.sleep(BREAK_S)
        began, before = time.monotonic(), times_waited(city)
        hanging = life.day()
        waited = times_waited(city) - before
        # Two workers, and two clients that may be waiting at once when the breaker closes.
        most = 4 * ((time.monotonic() - began) / BREAK_S + 1)
        assert cost(usual, hanging) < TIMEOUT_S * 0.8, "every request pays for a Redis that hangs"
        assert 1 <= waited <= most, "the breaker does not hold"
        redis.process.send_signal(signal.SIGCONT)

        redis.stop()
        gone = life.day()
        assert cost(usual, gone) < TIMEOUT_S * 0.8
        redis.start()
        life.day()
        record_property("trials", 6 * BOOKINGS)
        record_property(
            "facts",
            f"median booking {median(usual) * 1000:.1f} ms with Redis, "
            f"{median(hanging) * 1000:.1f} ms while it hangs (waited for {waited} times), "
            f"{median(gone) * 1000:.1f} ms without",
        )
        assert city.audit() == []


def test_a_redis_that_was_never_there_is_not_missed(city):
    settings = replace(city.settings, redis_url="unix:///nowhere/redis.sock")
    with serving(settings, city.log, workers=1) as server:
        Life(city, server).day(40)
    assert city.audit() == []
