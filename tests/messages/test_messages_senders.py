"""The way out: a gateway in every mood, and the file of the embedded run."""

import json
import stat
import threading
from dataclasses import replace

import httpx
import pytest
import sms_gateway as moods

from citizen_cloud.config import SettingsError
from citizen_cloud.messages import senders
from citizen_cloud.messages.senders import (
    HttpSms,
    LogSms,
    PermanentFailure,
    SenderFailure,
    SmsText,
    from_settings,
)

SMS = SmsText(to="+8613800000000", text="【市民云】验证码 123456", dedupe_id="otp:1")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(senders, "TIMEOUT", httpx.Timeout(0.3))
    monkeypatch.setattr(senders, "DEADLINE_S", 0.3)


def test_a_text_goes_out_once_with_token_and_dedupe_id(gateway):
    HttpSms(gateway.url, "secret").send(SMS)
    [(headers, body)] = gateway.requests
    assert body == {"to": SMS.to, "text": SMS.text, "dedupe_id": "otp:1"}
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Content-Type"] == "application/json"


def test_without_a_token_none_is_sent(gateway):
    HttpSms(gateway.url, None).send(SMS)
    assert "Authorization" not in gateway.requests[0][0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_what_the_gateway_will_never_take_is_final(gateway, status):
    gateway.answer = (status, b"{}")
    with pytest.raises(PermanentFailure) as refused:
        HttpSms(gateway.url, "t").send(SMS)
    assert refused.value.reason == f"gateway answered {status}"


@pytest.mark.parametrize("status", [301, 302, 408, 429, 500, 502, 503, 504])
def test_a_passing_trouble_is_tried_again(gateway, status):
    gateway.answer = (status, b'{"accepted": true}')
    with pytest.raises(SenderFailure) as refused:
        HttpSms(gateway.url, "t").send(SMS)
    assert type(refused.value) is SenderFailure
    # A redirect would carry phone and token to somebody else.
    assert len(gateway.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html>",
        b"{}",
        b'{"accepted": false}',
        b'{"accepted": "true"}',
        b"[1]",
        b"\xff\xfe",
        b"[" * 5000,
    ],
    ids=lambda body: ascii(body[:12]),
)
def test_a_success_that_does_not_say_so_is_not_believed(gateway, body):
    gateway.answer = (200, body)
    with pytest.raises(SenderFailure):
        HttpSms(gateway.url, "t").send(SMS)


@pytest.mark.parametrize(
    "mood", [moods.hang_up, moods.stay_silent, moods.drip, moods.flood, moods.garble]
)
def test_a_gateway_in_any_mood_is_a_passing_trouble(gateway, impatient, mood):
    gateway.answer = mood
    with pytest.raises(SenderFailure) as failed:
        HttpSms(gateway.url, "t").send(SMS)
    assert type(failed.value) is SenderFailure
    assert SMS.to not in failed.value.reason


def test_a_gateway_that_is_not_there_is_a_passing_trouble():
    with pytest.raises(SenderFailure):
        HttpSms("http://127.0.0.1:9/sms", "t").send(SMS)


def test_the_file_holds_a_line_a_text_and_is_its_owners_alone(tmp_path):
    path = tmp_path / "sms.log"
    path.touch(mode=0o644)
    sender = LogSms(path)
    sender.send(SMS)
    sender.send(replace(SMS, dedupe_id="otp:2"))
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first == {"to": SMS.to, "text": SMS.text, "dedupe_id": "otp:1"}
    assert second["dedupe_id"] == "otp:2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_of_many_writers_stay_whole(tmp_path):
    path = tmp_path / "sms.log"
    threads = [
        threading.Thread(target=LogSms(path).send, args=(replace(SMS, text="字" * 3000),))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(json.loads(line)["text"]) for line in path.read_text().splitlines()] == [3000] * 20


def test_the_installation_names_its_sender(settings, tmp_path):
    assert isinstance(from_settings(settings), LogSms)
    assert isinstance(from_settings(replace(settings, sms_url="http://sms/")), HttpSms)
    with pytest.raises(SettingsError, match="CITIZEN_CLOUD_SMS_URL"):
        from_settings(replace(settings, sms_log=None))
    with pytest.raises(SettingsError):
        from_settings(replace(settings, environment="production"))
