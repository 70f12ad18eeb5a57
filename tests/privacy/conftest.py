"""A citizen who did everything, and a worker whose texts end in a file."""

import canary
import pytest

from citizen_cloud.messages import senders


@pytest.fixture
def sms(tmp_path):
    before = list(senders._installed)
    path = tmp_path / "sms.log"
    senders.install(senders.LogSms(path))
    yield path
    senders._installed[:] = before


@pytest.fixture
def me(client, sms):
    return canary.full(client, sms)
