"""Tests of the health code begin with fresh limits: they ask more often than a citizen does."""

import pytest

from citizen_cloud.cache import Cache
from citizen_cloud.web import limits


@pytest.fixture(autouse=True)
def fresh_limits(shared_app):
    def forget():
        shared_app.extensions[limits.EXTENSION] = limits.Limiter(Cache(None))

    forget()
    return forget
