"""The upstream that compares names: clear answers count, everything else is unavailable."""

from dataclasses import replace

import httpx
import pytest

from citizen_cloud.accounts import verifier
from citizen_cloud.accounts.refusals import VerifierUnavailable
from citizen_cloud.config import Settings, SettingsError

ASKED = {"document_type": "resident_id", "number": "11010519491231002X", "name": "王小明"}
SETTINGS = Settings(
    environment="embedded",
    database_url="",
    database_owner_url="",
    redis_url=None,
    token_keys="",
    field_keys="",
    lookup_keys="",
    quota_key="",
    credential_keys="",
    trust_keys="",
)


def asking(*answers):
    """Return a verifier whose upstream gives these answers in turn, and what it was sent."""
    seen, left = [], list(answers)

    def handle(request):
        seen.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = httpx.MockTransport(handle)
    return verifier.HttpVerifier("https://upstream.test/v", "t0ken", transport=transport), seen


@pytest.mark.parametrize("match", [True, False])
def test_a_clear_answer_is_taken(match):
    asked, seen = asking(httpx.Response(200, json={"match": match}))
    assert asked.matches(**ASKED) is match
    assert seen[0].headers["Authorization"] == "Bearer t0ken"
    assert b"11010519491231002X" in seen[0].content
    assert "11010519491231002X" not in str(seen[0].url)


def test_one_failure_is_tried_again():
    asked, seen = asking(httpx.ConnectTimeout("slow"), httpx.Response(200, json={"match": True}))
    assert asked.matches(**ASKED) is True
    assert len(seen) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("11010519491231002X"),
        httpx.ConnectError("refused"),
        httpx.Response(500),
        httpx.Response(403),
        httpx.Response(302, headers={"Location": "http://127.0.0.1/"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"match": "true"}),
        httpx.Response(200, json={"match": None}),
    ],
)
def test_anything_unclear_is_unavailable_and_believes_nobody(answer):
    asked, _ = asking(answer, answer)
    with pytest.raises(VerifierUnavailable):
        asked.matches(**ASKED)


def test_production_does_without_an_upstream_never():
    assert isinstance(verifier.from_settings(SETTINGS), verifier.FormatVerifier)
    with pytest.raises(SettingsError):
        verifier.from_settings(replace(SETTINGS, environment="production"))
    given = replace(SETTINGS, environment="production", verifier_url="https://upstream.test/v")
    assert isinstance(verifier.from_settings(given), verifier.HttpVerifier)


def test_an_unconfigured_process_believes_nobody(monkeypatch):
    monkeypatch.setattr(verifier, "_current", [])
    with pytest.raises(VerifierUnavailable):
        verifier.current()
