"""A hospital with a site, and everything a browser, an app and a server do."""

import partners
import people
import pytest


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
