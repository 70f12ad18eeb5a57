"""Devices: named under seal, signed out together, told of each other; what strangers see."""

import pytest
from sqlalchemy import text

from citizen_cloud.accounts.services import devices


def test_a_device_is_named_by_its_owner(world, session):
    tokens = world.sign_in(device={"name": "旧名"})
    path = f"/me/devices/{tokens['device']['id']}"
    answer = world.patch(path, {"name": "妈妈的手机"}, tokens["access_token"])
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["is_current"]) == ("妈妈的手机", True)
    [listed] = world.get("/me/devices", tokens["access_token"]).json["items"]
    assert listed == answer.json


def test_names_lie_sealed(world, session):
    world.sign_in(device={"name": "小明的手机"})
    stored = session.execute(text("SELECT to_jsonb(d) FROM accounts.device d")).scalar_one()
    sealed = session.execute(text("SELECT name_sealed FROM accounts.device")).scalar_one()
    assert "小明" not in str(stored)
    assert "小明".encode() not in bytes(sealed)


def test_a_device_without_a_name_is_called_unnamed(world):
    token = world.sign_in()["access_token"]
    [listed] = world.get("/me/devices", token).json["items"]
    assert listed["name"] == "未命名设备"


def test_nobody_names_anothers_device(world):
    mine, other = world.sign_in(), world.sign_in()
    path = f"/me/devices/{other['device']['id']}"
    answer = world.patch(path, {"name": "我的"}, mine["access_token"])
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(("body", "status"), [({}, 401), ({"keep_this": True}, 200)])
def test_signing_out_everywhere_ends_all_sign_ins_before_the_answer(
    world, session, helpers, body, status
):
    phone = helpers.new_phone()
    elsewhere = [world.sign_in(phone) for _ in range(3)]
    here = world.sign_in(phone)
    other = world.sign_in()
    assert world.post("/me/sign-out-everywhere", body, here["access_token"]).status_code == 204
    for tokens in elsewhere:
        assert world.get("/me", tokens["access_token"]).status_code == 401
        assert world.refresh(tokens["refresh_token"]).status_code == 401
    assert world.get("/me", here["access_token"]).status_code == status
    assert world.refresh(here["refresh_token"]).status_code == status
    assert world.get("/me", other["access_token"]).status_code == 200
    acts = session.execute(text("SELECT action FROM audit.entry")).scalars().all()
    assert acts.count("accounts.signed_out_everywhere") == 1


def test_signing_out_everywhere_needs_no_body(world):
    token = world.sign_in()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = world.client.post("/api/v1/me/sign-out-everywhere", headers=headers)
    assert answer.status_code == 204
    assert world.get("/me", token).status_code == 401


def told(session):
    return session.execute(
        text("SELECT payload FROM jobs.outbox WHERE event = :name ORDER BY id"),
        {"name": devices.ADDED},
    ).scalars()


def test_a_persons_other_devices_are_told_of_a_new_one(world, session, helpers):
    phone = helpers.new_phone()
    first = world.person(phone)
    account_id = world.get("/me", first["access_token"]).json["account_id"]
    assert list(told(session)) == []
    second = world.sign_in(phone)
    wanted = [{"account_id": account_id, "device_id": second["device"]["id"]}]
    assert list(told(session)) == wanted
    world.sign_in(phone, device=first["device"])
    assert list(told(session)) == wanted


def test_an_account_without_a_person_is_told_nothing(world, session, helpers):
    phone = helpers.new_phone()
    world.sign_in(phone)
    world.sign_in(phone)
    assert list(told(session)) == []


def test_withdrawing_the_real_name_takes_every_device_back_to_level_one(world, helpers):
    phone = helpers.new_phone()
    first = world.person(phone)["access_token"]
    second = world.sign_in(phone)["access_token"]
    assert world.prove(second).status_code == 200
    levels = [world.get("/me", token).json["level"] for token in (first, second)]
    assert levels == [2, 2]
    withdrawn = {"purpose": "real_name", "version": 1, "granted": False}
    assert world.post("/me/consents", withdrawn, second).status_code == 200
    for token in (first, second):
        me = world.get("/me", token).json
        assert (me["level"], me["real_name"], me["person_id"]) == (1, "unconfirmed", None)
    assert world.prove(first).json["code"] == "consent_required"
    world.consent(first)
    assert world.get("/me", first).json["level"] == 1
    assert world.prove(first).status_code == 200
    assert world.get("/me", first).json["level"] == 2


def test_a_numbers_next_holder_touches_no_device_but_the_own(world, helpers):
    phone = helpers.new_phone()
    owner = world.person(phone, name="王小明")
    stranger = world.sign_in(phone)
    theirs, own = (f"/me/devices/{who['device']['id']}" for who in (owner, stranger))
    token = stranger["access_token"]
    listed = world.get("/me/devices", token).json["items"]
    assert [device["id"] for device in listed] == [stranger["device"]["id"]]
    for answer in (
        world.delete(theirs, token),
        world.patch(theirs, {"name": "我的"}, token),
        world.post("/me/sign-out-everywhere", {}, token),
    ):
        assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
    assert world.get("/me", owner["access_token"]).status_code == 200
    assert world.patch(own, {"name": "我的"}, token).status_code == 200
    assert world.delete(own, token).status_code == 204
