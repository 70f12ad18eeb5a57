"""A hospital with a site, and everything a browser, an app and a server do."""

import partners
import people
import pytest

from citizen_cloud.oidc import keys


@pytest.fixture(autouse=True)
def _own_keys():
    """Keys of a database that forgets are not those of the next test."""
    keys.forget()
    yield
    keys.forget()


@pytest.fixture
def flow(client):
    return partners.Flow(client)


@pytest.fixture
def hospital(app):
    return people.pharmacy("海天医院")


@pytest.fixture
def site(hospital):
    return partners.register(hospital)


@pytest.fixture
def citizen(app):
    return people.citizen()
