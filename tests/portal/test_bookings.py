import people
import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.portal.state import HOST


@pytest.fixture
def me(app):
    return people.citizen()


@pytest.fixture
def booked(me):
    return people.booking(me, people.offer())


def test_a_booking_carries_what_the_app_shows_everywhere(client, me, booked):
    body = client.get(f"/api/v1/bookings/{booked}", headers=me.headers).json
    assert {"id", "module", "status", "reference", "quantity", "slot", "person", "actions"} <= set(
        body
    )
    assert {"starts_at", "ends_at", "title", "place"} <= set(body["slot"])
    assert body["status"] == "booked"
    assert body["module"] == "masks"
    assert "*" in body["person"]["name"]
    assert "cancel" in body["actions"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel"), ("GET", "/code")])
def test_somebody_elses_booking_looks_like_none(client, me, booked, method, path):
    stranger = people.citizen()
    theirs = client.open(
        f"/api/v1/bookings/{booked}{path}", method=method, headers=stranger.headers, json={}
    )
    absent = client.open(
        f"/api/v1/bookings/00000000-0000-7000-8000-000000000000{path}",
        method=method,
        headers=stranger.headers,
        json={},
    )
    assert theirs.status_code == absent.status_code == 404
    differing = {"instance", "trace_id"}
    assert {k: v for k, v in theirs.json.items() if k not in differing} == {
        k: v for k, v in absent.json.items() if k not in differing
    }


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel"), ("GET", "/code")])
def test_the_next_holder_of_a_phone_number_gets_at_no_booking(client, me, booked, method, path):
    """He signs in to the account, on a device where the document was never shown."""
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.device SET proven_at = NULL WHERE account_id = :id"),
            {"id": me.account_id},
        )
    answer = client.open(
        f"/api/v1/bookings/{booked}{path}", method=method, headers=me.headers, json={}
    )
    assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
    assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]


def test_cancelling_frees_the_place_kills_the_code_and_can_be_repeated(client, me, booked):
    path = f"/api/v1/bookings/{booked}"
    code = client.get(f"{path}/code", headers=me.headers).json["code"]
    first = client.post(f"{path}/cancel", json={"reason": "临时有事"}, headers=me.headers)
    again = client.post(f"{path}/cancel", json={}, headers=me.headers)
    assert first.status_code == again.status_code == 200, first.json
    assert first.json["status"] == again.json["status"] == "cancelled"
    assert first.json["actions"] == []
    assert client.get(f"{path}/code", headers=me.headers).json["code"] == "no_code"
    assert code.startswith("CC1:")


def test_cancelling_works_without_a_body(client, me, booked):
    answer = client.post(f"/api/v1/bookings/{booked}/cancel", headers=me.headers)
    assert answer.status_code == 200, answer.json


def test_the_code_is_the_same_each_time_and_comes_as_text_or_picture(client, me, booked):
    path = f"/api/v1/bookings/{booked}/code"
    texts = {client.get(path, headers=me.headers).json["code"] for _ in range(3)}
    assert len(texts) == 1
    for accept, begins in (("image/svg+xml", b"<"), ("image/png", b"\x89PNG")):
        answer = client.get(path, headers={**me.headers, "Accept": accept})
        assert answer.mimetype == accept
        assert answer.data.startswith(begins)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/problem+json", "application/json"),
        ("image/*", "image/svg+xml"),
        ("image/png;q=0.5, image/svg+xml", "image/svg+xml"),
    ],
)
def test_the_media_type_is_negotiated(client, me, booked, accept, expected):
    answer = client.get(f"/api/v1/bookings/{booked}/code", headers={**me.headers, "Accept": accept})
    assert answer.mimetype == expected


def test_a_media_type_nobody_serves_is_not_acceptable(client, me, booked):
    answer = client.get(
        f"/api/v1/bookings/{booked}/code", headers={**me.headers, "Accept": "video/mp4"}
    )
    assert answer.status_code == 406
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("state", ["off", "draining", "read_only"])
def test_bookings_of_a_module_that_is_off_are_shown_and_cancelled(client, app, me, booked, state):
    app.extensions[HOST].switchboard.take({"masks": (state, {})})
    path = f"/api/v1/bookings/{booked}"
    assert client.get(path, headers=me.headers).status_code == 200
    assert client.post(f"{path}/cancel", json={}, headers=me.headers).status_code == 200


def test_bookings_of_a_module_that_is_gone_are_shown_only(client, app, me, booked):
    host = app.extensions[HOST]
    gone = host.installed.modules.pop("masks")
    try:
        path = f"/api/v1/bookings/{booked}"
        shown = client.get(path, headers=me.headers)
        assert shown.status_code == 200
        assert shown.json["actions"] == []
        refused = client.post(f"{path}/cancel", json={}, headers=me.headers)
        assert refused.status_code == 503
        assert refused.json["code"] == "module_unavailable"
    finally:
        host.installed.modules["masks"] = gone


def test_the_history_is_paged_newest_first(client, me):
    offers = [people.offer(day=n) for n in range(3)]
    made = [str(people.booking(me, offer, quantity=1, quota=False)) for offer in offers]
    first = client.get("/api/v1/me/bookings?limit=2", headers=me.headers)
    assert [item["id"] for item in first.json["items"]] == made[:0:-1]
    assert 'rel="next"' in first.headers["Link"]
    cursor = first.json["next_cursor"]
    second = client.get(f"/api/v1/me/bookings?limit=2&cursor={cursor}", headers=me.headers)
    assert [item["id"] for item in second.json["items"]] == made[:1]
    assert second.json["next_cursor"] is None
    none = client.get("/api/v1/me/bookings?status=cancelled", headers=me.headers)
    assert none.json["items"] == []
