"""A city of its own for every booking test: real commits need a real database."""

from typing import Any

import pytest
from booking_world import World


@pytest.fixture
def world(fresh_database: Any) -> World:
    return World(fresh_database.database)
