"""Keys of codes that a test may turn, and what the process keeps of the last snapshot."""

from dataclasses import replace

import pytest
from reissue_world import Town

from citizen_cloud import crypto
from citizen_cloud.cli import keys as keys_cli
from citizen_cloud.credentials import queries
from citizen_cloud.crypto import KeyRing


class Turning:
    """The process's rings; ``k1`` is the one it came with."""

    def __init__(self):
        self.held = crypto.current()

    def codes(self, *kids):
        """Hold these keys of codes, the first one signs."""
        self._hold(credentials=self._ring(self.held.credentials, kids))

    def trust(self, *kids):
        """Hold these keys of trust, the first one signs."""
        self._hold(trust=self._ring(self.held.trust, kids))

    @staticmethod
    def _ring(first, kids):
        drawn = {kid: kid.encode().ljust(32, b"!") for kid in kids}
        return KeyRing({kid: first.keys.get(kid, drawn[kid]) for kid in kids})

    @staticmethod
    def _hold(**rings):
        crypto._current[:] = [replace(crypto.current(), **rings)]


@pytest.fixture
def ring(session):
    turning = Turning()
    yield turning
    crypto._current[:] = [turning.held]


@pytest.fixture(autouse=True)
def _forget():
    queries.forget()
    yield
    queries.forget()


@pytest.fixture
def town(fresh_database, monkeypatch):
    made = Town(fresh_database)
    monkeypatch.setattr(keys_cli, "settings", lambda: made.settings)
    yield made
    crypto.configure(fresh_database.settings)
