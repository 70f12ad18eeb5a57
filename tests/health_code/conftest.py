"""The health code's tests begin with fresh limits: they ask more often than a citizen does."""

import pytest

from citizen_cloud.cache import Cache
from citizen_cloud.web import limits


@pytest.fixture(autouse=True)
def fresh_limits(request):
    """Forget what was counted; return what forgets it again."""

    def forget():
        app = request.getfixturevalue("shared_app")
        app.extensions[limits.EXTENSION] = limits.Limiter(Cache(None))

    if "client" in request.fixturenames:
        forget()
    return forget
