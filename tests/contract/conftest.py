"""The city and the way in, for every test of the contract."""

import pytest
from argon2 import Parameters
from argon2.low_level import ARGON2_VERSION, Type
from contract_world import Stack

from citizen_cloud.accounts import hashing

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


@pytest.fixture
def stack(app, database, settings):
    """Return the whole stack on a database that forgets, with the city built."""
    return Stack(app, database.connection, settings)
