"""The hall, and a verifier that can be told what to say."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from counter_world import Hall

from citizen_cloud.accounts import verifier


class ToldVerifier:
    """Says what a test wants to hear, and remembers what it was asked."""

    name = "told"

    def __init__(self):
        self.answer = True
        self.asked = []

    def matches(self, **asked):
        self.asked.append(asked)
        return self.answer


@pytest.fixture
def told():
    before = list(verifier._current)
    answering = ToldVerifier()
    verifier.install(answering)
    yield answering
    verifier._current[:] = before


@pytest.fixture
def hall(client, told):
    return Hall(client)


@pytest.fixture
def race():
    """Run many callables, begun together; return results, exceptions among them."""

    def run(count, work):
        barrier = threading.Barrier(count)

        def one(number):
            barrier.wait()
            try:
                return work(number)
            except Exception as error:  # noqa: BLE001 - the test judges it
                return error

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    return run
