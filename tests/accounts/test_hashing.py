"""Password hashing: RFC 9106's costs, a few at a time, beside the event loop."""

import subprocess
import sys
import threading
import time

import pytest
from argon2.profiles import RFC_9106_LOW_MEMORY

from citizen_cloud.accounts import hashing
from citizen_cloud.errors import Unavailable


def test_the_costs_are_those_of_the_rfc():
    stored = hashing.Passwords().hash("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert RFC_9106_LOW_MEMORY.memory_cost == 65536


def test_nobody_matches_no_password(cheap_passwords):
    passwords = hashing.current()
    stored = passwords.hash("correct horse battery")
    assert passwords.matches(stored, "correct horse battery")
    assert not passwords.matches(stored, "another")
    assert not passwords.matches(None, "correct horse battery")
    assert not passwords.matches("no hash at all", "another")


def test_only_a_few_run_at_once_and_the_others_wait_no_longer_than_they_should(monkeypatch):
    monkeypatch.setattr(hashing, "PATIENCE_S", 0.05)
    passwords = hashing.Passwords()
    go, running = threading.Event(), []

    def slow(_stored, _password):
        running.append(1)
        go.wait(5)
        return False

    monkeypatch.setattr(passwords, "_verify", slow)
    threads = [threading.Thread(target=passwords.matches, args=(None, "x")) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(running) < 2:
        time.sleep(0.001)
    with pytest.raises(Unavailable):
        passwords.matches(None, "x")
    go.set()
    for thread in threads:
        thread.join()
    assert len(running) == 2


UNDER_GEVENT = """
from gevent import monkey; monkey.patch_all()
import gevent, time
from citizen_cloud.accounts import hashing
passwords = hashing.Passwords()
worst, running = 0.0, True
def beat():
    global worst
    while running:
        before = time.monotonic()
        gevent.sleep(0.002)
        worst = max(worst, time.monotonic() - before)
heart = gevent.spawn(beat)
began = time.monotonic()
gevent.joinall([gevent.spawn(passwords.hash, "correct horse battery") for _ in range(4)])
took = time.monotonic() - began
running = False
heart.join()
assert worst < took / 2, (worst, took)
"""


def test_hashing_does_not_hold_up_the_other_requests_of_a_gevent_worker():
    done = subprocess.run(
        [sys.executable, "-c", UNDER_GEVENT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
