"""Senders that can be told what to do, and a gateway to send to."""

import threading

import pytest
from sms_gateway import Gateway

from citizen_cloud.messages import senders


class ToldSender:
    """Does what the test says, and remembers every text it was given."""

    def __init__(self):
        self.sent = []
        self.answer = lambda _sms: None

    def send(self, sms):
        self.sent.append(sms)
        self.answer(sms)


@pytest.fixture
def sender():
    held = list(senders._installed)
    told = ToldSender()
    senders.install(told)
    yield told
    senders._installed[:] = held


@pytest.fixture
def gateway():
    server = Gateway()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
