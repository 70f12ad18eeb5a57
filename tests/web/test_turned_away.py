"""Who is turned away is written down once, with what an operator needs and nothing private."""

import json
import secrets

import callers
import pytest
import structlog
from structlog.testing import capture_logs

from citizen_cloud import log

PHONE = "13900001234"


@pytest.fixture
def logged():
    with capture_logs() as entries:
        yield lambda: [entry for entry in entries if entry["event"] == "turned_away"]


def test_a_refused_sign_in_is_logged_by_route_and_code(client, logged):
    body = {"grant_type": "otp", "challenge_id": "0198c0de-0000-7000-8000-000000000000"}
    client.post("/api/v1/auth/token", json={**body, "code": "493027"})
    [entry] = logged()
    assert entry.pop("trace_id")
    assert entry == {
        "event": "turned_away",
        "log_level": "warning",
        "problem": "otp_invalid",
        "method": "POST",
        "route": "/api/v1/auth/token",
        "status": 401,
        "account_id": None,
    }


def test_the_trace_id_is_the_answers(client, logged):
    answer = client.get("/api/v1/me")
    [entry] = logged()
    assert entry["trace_id"] == answer.json["trace_id"]


def test_the_route_is_the_template_and_the_account_is_named(client, logged):
    someone = callers.citizen()
    answer = client.put(
        "/api/v1/admin/modules/masks/settings",
        json={"settings": {"reminder_hours": 12}},
        headers=someone.headers,
    )
    assert answer.status_code == 403
    [entry] = logged()
    assert "<" in entry["route"]
    assert "masks" not in entry["route"]
    assert entry["account_id"] == str(someone.account_id)


def test_a_limit_is_logged_without_the_phone_it_counts(client, logged):
    client.environ_base["REMOTE_ADDR"] = f"10.1.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    for _ in range(2):
        answer = client.post("/api/v1/auth/otp", json={"phone": PHONE})
    assert answer.status_code == 429
    [entry] = logged()
    assert (entry["problem"], entry["status"]) == ("rate_limited", 429)
    assert PHONE[3:] not in json.dumps(entry)


def test_what_is_merely_wrong_is_not_logged(client, logged):
    assert client.post("/api/v1/auth/otp", json={"phone": "1"}).status_code == 422
    assert client.get("/api/v1/nothing-here").status_code == 404
    assert logged() == []


def test_the_line_survives_the_redaction_whole(client, capsys):
    before = structlog.get_config()
    log.configure()
    try:
        client.get("/api/v1/me")
    finally:
        structlog.configure(**before)
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert line["problem"] == "unauthenticated"
    assert "[redacted]" not in line.values()
