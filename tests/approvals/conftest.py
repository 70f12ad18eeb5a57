"""A process that knows the toy kind as well."""

import approvals_world
import pytest
from approvals_toy import Toy


@pytest.fixture
def toy(shared_app):
    """Install the toy for one test."""
    made = Toy()
    with approvals_world.also(made.kind):
        yield made
