"""A retried POST gets the first answer; driven through the real application's admin doors."""

import threading
from uuid import uuid4

from people import admin_headers

from citizen_cloud.portal.state import HOST

PATH = "/api/v1/admin/organisations"


def body(code="P1"):
    return {
        "kind": "pharmacy",
        "code": code,
        "name": {"zh": "海天大药房", "en": "Haitian Pharmacy"},
        "address": "大连市中山区人民路1号",
        "area_code": "210202",
    }


def test_the_same_key_and_body_give_the_same_answer(client):
    headers = {**admin_headers(), "Idempotency-Key": str(uuid4())}
    first = client.post(PATH, json=body(), headers=headers)
    again = client.post(PATH, json=body(), headers=headers)
    assert first.status_code == again.status_code == 201, first.json
    assert first.json == again.json
    assert first.headers["Location"] == again.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_the_same_key_with_another_body_is_refused(client):
    headers = {**admin_headers(), "Idempotency-Key": "k1"}
    client.post(PATH, json=body(), headers=headers)
    answer = client.post(PATH, json=body("P2"), headers=headers)
    assert answer.status_code == 422
    assert answer.json["code"] == "idempotency_key_reused"


def test_another_principals_key_is_independent(client):
    assert (
        client.post(
            PATH, json=body(), headers={**admin_headers(), "Idempotency-Key": "k"}
        ).status_code
        == 201
    )
    other = client.post(PATH, json=body("P2"), headers={**admin_headers(), "Idempotency-Key": "k"})
    assert other.status_code == 201


def test_a_refusal_leaves_the_key_unspent(client):
    headers = {**admin_headers(), "Idempotency-Key": "k"}
    assert client.post(PATH, json={}, headers=headers).status_code == 422
    assert client.post(PATH, json=body(), headers=headers).status_code == 201


def test_a_malformed_key_is_refused(client):
    for key in ("", "x" * 65, "mit leer", "é"):
        answer = client.post(PATH, json=body(), headers={**admin_headers(), "Idempotency-Key": key})
        assert answer.status_code == 400, key


def test_twelve_at_once_make_one(fresh_database):
    from citizen_cloud.app import create_app

    app = create_app(fresh_database.settings)
    headers = {**admin_headers(), "Idempotency-Key": "race"}
    answers, barrier = [], threading.Barrier(12)

    def send():
        client = app.test_client(use_cookies=False)
        barrier.wait()
        answers.append(client.post(PATH, json=body(), headers=headers))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    app.extensions[HOST].database.dispose()
    made = {a.json["id"] for a in answers if a.status_code == 201}
    assert len(made) == 1
    assert {a.status_code for a in answers} <= {201, 409}
    refused = {a.json["code"] for a in answers if a.status_code == 409}
    assert refused <= {"request_in_flight"}
