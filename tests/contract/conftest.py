"""The city and the way in, for every test of the contract."""

import pytest
from argon2 import Parameters
from argon2.low_level import ARGON2_VERSION, Type
from conftest import SavepointDatabase
from contract_world import Stack

from citizen_cloud import crypto, db
from citizen_cloud.accounts import hashing
from citizen_cloud.portal.state import HOST

CHEAP = Parameters(
    type=Type.ID,
    version=ARGON2_VERSION,
    salt_len=16,
    hash_len=16,
    time_cost=1,
    memory_cost=8,
    parallelism=1,
)


@pytest.fixture(autouse=True)
def _cheap_passwords():
    """Hash fast: that argon2 is slow is another room's test."""
    before = hashing.current()
    hashing.install(hashing.Passwords(CHEAP))
    yield
    hashing.install(before)


@pytest.fixture(scope="module")
def shared_stack(shared_app, settings, owners_pool):
    """Build the city once for a file: every request is undone, so that all begin in it."""
    crypto.configure(settings)
    with owners_pool.engine.connect() as connection:
        outer = connection.begin()
        held = SavepointDatabase(connection)
        db.install(held)
        hashing.install(hashing.Passwords(CHEAP))
        yield Stack(shared_app, held, settings)
        outer.rollback()


@pytest.fixture
def stack(shared_stack, settings):
    """Return the whole stack on a database that forgets, all modules on."""
    crypto.configure(settings)
    db.install(shared_stack.database)
    host = shared_stack.app.extensions[HOST]
    host.switchboard.take({name: ("active", {}) for name in host.modules})
    shared_stack.forget()
    return shared_stack
