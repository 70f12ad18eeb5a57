"""The health code's tests begin with fresh limits: they ask more often than a citizen does."""

import pytest

from citizen_cloud.cache import Cache
from citizen_cloud.web import limits


@pytest.fixture(autouse=True)
def fresh_limits(request):
    if "client" in request.fixturenames:
        app = request.getfixturevalue("shared_app")
        app.extensions[limits.EXTENSION] = limits.Limiter(Cache(None))
