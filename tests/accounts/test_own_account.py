"""The own account, its devices, and what a request costs."""

from uuid import uuid4

from sqlalchemy import text


def test_the_own_account_is_one_statement(world, statements):
    token = world.person()["access_token"]
    statements.clear()
    me = world.get("/me", token).json
    assert len(statements) == 1
    assert me["name"] == "王*明"
    assert (me["level"], me["real_name"]) == (2, "confirmed")
    assert me["person_id"]


def test_a_signature_is_checked_once_and_the_sign_in_every_time(world, statements, monkeypatch):
    token = world.sign_in()["access_token"]
    world.get("/me", token)
    monkeypatch.setattr("jwt.decode", None)
    statements.clear()
    assert world.get("/me", token).status_code == 200
    assert len(statements) == 1


def test_signing_out_acts_at_once(world):
    tokens = world.sign_in()
    token = tokens["access_token"]
    assert world.post("/auth/logout", {}, token).status_code == 204
    assert world.get("/me", token).status_code == 401
    assert world.refresh(tokens["refresh_token"]).status_code == 401


def test_the_own_account_answers_in_no_cache(world):
    answer = world.get("/me", world.sign_in()["access_token"])
    assert answer.headers["Cache-Control"] == "no-store"


def test_devices_are_listed_latest_first_with_the_asking_one_marked(world, helpers, statements):
    phone = helpers.new_phone()
    world.sign_in(phone, device={"name": "旧手机"})
    here = world.sign_in(phone, device={"name": "新手机"})
    statements.clear()
    answer = world.get("/me/devices", here["access_token"])
    assert len(statements) == 2
    shown = [(device["name"], device["is_current"]) for device in answer.json["items"]]
    assert shown == [("新手机", True), ("旧手机", False)]
    assert answer.json["next_cursor"] is None


def test_devices_are_paged(world, helpers):
    phone = helpers.new_phone()
    for number in range(3):
        token = world.sign_in(phone, device={"name": f"手机 {number}"})["access_token"]
    first = world.get("/me/devices?limit=2", token)
    assert 'rel="next"' in first.headers["Link"]
    second = world.get(f"/me/devices?limit=2&cursor={first.json['next_cursor']}", token)
    names = [item["name"] for page in (first, second) for item in page.json["items"]]
    assert names == ["手机 2", "手机 1", "手机 0"]
    assert world.get("/me/devices?cursor=made-up", token).json["code"] == "cursor_invalid"


def test_removing_a_device_signs_it_out_at_once(world, helpers, session):
    phone = helpers.new_phone()
    lost, here = world.sign_in(phone), world.sign_in(phone)
    path = f"/api/v1/me/devices/{lost['device']['id']}"
    headers = {"Authorization": f"Bearer {here['access_token']}"}
    assert world.client.delete(path, headers=headers).status_code == 204
    assert world.get("/me", lost["access_token"]).status_code == 401
    assert world.refresh(lost["refresh_token"]).status_code == 401
    assert world.get("/me", here["access_token"]).status_code == 200
    assert world.client.delete(path, headers=headers).status_code == 404
    acts = session.execute(text("SELECT action FROM audit.entry")).scalars().all()
    assert "accounts.device_removed" in acts


def test_anothers_device_looks_absent(world):
    mine, other = world.sign_in(), world.sign_in()
    headers = {"Authorization": f"Bearer {mine['access_token']}"}
    answers = [
        world.client.delete(f"/api/v1/me/devices/{device_id}", headers=headers)
        for device_id in (other["device"]["id"], uuid4())
    ]
    bodies = [{**answer.json, "trace_id": "", "instance": ""} for answer in answers]
    assert bodies[0] == bodies[1]
    assert answers[0].status_code == 404
    assert world.get("/me", other["access_token"]).status_code == 200


def test_every_door_but_signing_in_is_closed_to_strangers(world):
    for method, path in (
        ("GET", "/me"),
        ("GET", "/me/devices"),
        ("DELETE", f"/me/devices/{uuid4()}"),
        ("GET", "/me/consents"),
        ("POST", "/me/consents"),
        ("POST", "/me/real-name"),
        ("POST", "/me/password"),
        ("POST", "/auth/logout"),
    ):
        answer = world.client.open("/api/v1" + path, method=method, json={})
        assert answer.status_code == 401, path


def test_the_keys_of_tokens_are_public_and_only_theirs(world):
    answer = world.client.get("/.well-known/jwks.json")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert [set(key) for key in answer.json["keys"]] == [{"kty", "crv", "x", "kid", "alg", "use"}]


def test_password_managers_find_where_a_password_is_changed(world):
    answer = world.client.get("/.well-known/change-password")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/docs#")


def test_signing_in_and_out_leaves_a_trail(world, session):
    token = world.sign_in()["access_token"]
    world.post("/auth/logout", {}, token)
    acts = session.execute(text("SELECT action FROM audit.entry ORDER BY id")).scalars().all()
    assert {"accounts.signed_in", "accounts.signed_out"} <= set(acts)
