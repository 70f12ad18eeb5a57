"""A citizen who did everything, and a worker whose texts end in a file."""

import copy
import time
from contextlib import contextmanager

import canary
import pytest
from conftest import SavepointDatabase

from citizen_cloud import crypto, db
from citizen_cloud.cache import Cache
from citizen_cloud.messages import senders
from citizen_cloud.modules.masks.routes import citizen as citizen_routes
from citizen_cloud.modules.masks.routes import open_data
from citizen_cloud.portal.state import HOST
from citizen_cloud.web import limits

# A world is lived in while what happened in it is fresh: some doors ask for factors shown of late.
FRESH_S = 60


class Town:
    """The world after the canary's life, which takes seconds to live: each test is undone in it.

    Its transaction holds locks, so that it ends before a test that lives in another world.
    """

    def __init__(self, app, pool, folder):
        self.app = app
        self.pool = pool
        self.texts = folder / "texts.log"
        self.held = None

    def enter(self):
        """Return the world as the canary left it, living it first if need be."""
        if self.held is None or time.monotonic() - self.lived_at > FRESH_S:
            self.leave()
            self.lived_at = time.monotonic()
            try:
                self._live()
            except BaseException:
                self.leave()
                raise
        return self.held

    def _live(self):
        self.connection = self.pool.engine.connect()
        self.outer = self.connection.begin()
        self.held = SavepointDatabase(self.connection)
        db.install(self.held)
        everything_on(self.app)
        self.texts.write_text("")
        with texts_in(self.texts):
            self.me = canary.full(self.app.test_client(use_cookies=False), self.texts)

    def leave(self):
        """Forget the world."""
        if self.held is not None:
            self.outer.rollback()
            self.connection.close()
            self.held = None


def everything_on(app):
    """Switch every module on, and forget what the process remembers of the tests before."""
    host = app.extensions[HOST]
    app.extensions[limits.EXTENSION] = limits.Limiter(Cache(None))
    host.switchboard.take({name: ("active", {}) for name in host.modules})
    citizen_routes.first_pages.clear()
    open_data.pages.clear()


@contextmanager
def texts_in(path):
    """Let texts end in a file for a block."""
    before = list(senders._installed)
    senders.install(senders.LogSms(path))
    try:
        yield
    finally:
        senders._installed[:] = before


@pytest.fixture(scope="module")
def town(shared_app, settings, owners_pool, tmp_path_factory):
    """The world of a file's tests that ask for the canary."""
    crypto.configure(settings)
    made = Town(shared_app, owners_pool, tmp_path_factory.mktemp("town"))
    _towns.append(made)
    yield made
    made.leave()
    _towns.remove(made)


_towns = []


@pytest.fixture
def database(database, request):
    """Install the canary's world for those who ask for it, an empty one for the others."""
    if "town" not in request.fixturenames:
        for each in _towns:
            each.leave()
        yield database
        return
    held = request.getfixturevalue("town").enter()
    db.install(held)
    savepoint = held.connection.begin_nested()
    yield held
    savepoint.rollback()


@pytest.fixture
def sms(tmp_path):
    path = tmp_path / "sms.log"
    path.touch()
    with texts_in(path):
        yield path


@pytest.fixture
def me(town, app, sms):
    """Return the canary; what it learns is forgotten with the test, as is what it does."""
    everything_on(app)
    sms.write_text(town.texts.read_text())
    mine = copy.copy(town.me)
    mine.sms = sms
    mine.device, mine.bookings = copy.deepcopy((town.me.device, town.me.bookings))
    return mine
