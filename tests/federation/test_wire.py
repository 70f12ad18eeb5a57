"""A provider that is slow, endless, silent or mad costs one sign-in and a few seconds."""

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest
import stubs
from structlog.testing import capture_logs

from citizen_cloud import clock
from citizen_cloud.federation.refusals import ProviderUnavailable

ROOT = Path(__file__).parents[2]
MOODS = {
    "silent": stubs.stay_silent,
    "hangs up": stubs.hang_up,
    "garbage": stubs.garble,
    "drips": stubs.drip,
    "ten megabytes": stubs.flood,
    "500": stubs.status(500),
    "404": stubs.status(404),
    "429": stubs.status(429),
    "no object": stubs.status(200, b'["openid"]'),
    "no JSON": stubs.status(200, b"<html>busy</html>"),
    "nothing": stubs.status(200, b""),
    "very deep": stubs.status(200, b"[" * 60_000),
    "redirects": stubs.status(302, Location="http://127.0.0.1:9/elsewhere"),
    "packed": stubs.status(200, b"\x1f\x8b\x08\x00bomb", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("mood", MOODS)
def test_trouble_is_one_refusal_soon(wechat, hasty_port, mood):
    wechat.instead = MOODS[mood]
    begun = time.monotonic()
    with pytest.raises(ProviderUnavailable) as caught:
        hasty_port.exchange("a-code", started=None, now=clock.now())
    assert time.monotonic() - begun < 3
    assert caught.value.facts == {"retry_after": 30}


def test_an_endless_answer_is_cut_off_by_its_length_and_not_by_patience(wechat, wechat_port):
    wechat.instead = stubs.flood
    with capture_logs() as events, pytest.raises(ProviderUnavailable):
        wechat_port.exchange("a-code", started=None, now=clock.now())
    assert [event["reason"] for event in events] == ["WithoutEnd"]


def test_a_server_that_is_not_there_is_trouble_too(wechat, hasty_port):
    hasty_port._url = "http://127.0.0.1:9/nobody"
    with pytest.raises(ProviderUnavailable):
        hasty_port.exchange("a-code", started=None, now=clock.now())


@pytest.mark.parametrize("mood", ["500", "garbage", "no JSON", "silent"])
def test_neither_secret_nor_code_reaches_a_log(wechat, hasty_port, mood, caplog):
    wechat.instead = MOODS[mood]
    with (
        capture_logs() as events,
        caplog.at_level(logging.DEBUG),
        pytest.raises(ProviderUnavailable),
    ):
        hasty_port.exchange("the-code-of-somebody", started=None, now=clock.now())
    seen = caplog.text + str(events)
    assert "provider_failed" in seen
    assert wechat.secret not in seen
    assert "the-code-of-somebody" not in seen


def test_with_success_nothing_is_logged_either(wechat, wechat_port, caplog):
    code = wechat.code_for("oABC-secret")
    with capture_logs() as events, caplog.at_level(logging.DEBUG):
        wechat_port.exchange(code, started=None, now=clock.now())
    seen = caplog.text + str(events)
    assert not [word for word in (wechat.secret, code, "oABC-secret") if word in seen]


IN_A_WORKER = """
from gevent import monkey
monkey.patch_all()
import sys, time
from citizen_cloud.federation.providers.wire import Wire
from citizen_cloud.federation.refusals import ProviderUnavailable
begun = time.monotonic()
try:
    Wire("wechat", deadline_s=0.5).ask("GET", sys.argv[1])
except ProviderUnavailable:
    print("refused", time.monotonic() - begun)
"""


def test_in_a_worker_header_fields_that_drip_meet_the_deadline(wechat):
    wechat.instead = stubs.drip_head
    done = subprocess.run(
        [sys.executable, "-P", "-c", IN_A_WORKER, wechat.url + "/"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
    )
    word, seconds = done.stdout.split()[-2:]
    assert word == "refused"
    assert float(seconds) < 2
