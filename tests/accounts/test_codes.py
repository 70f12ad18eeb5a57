"""One-time codes through the routes: normalised, counted, spent once, telling nothing."""

import json
from uuid import uuid4

import pytest
from sqlalchemy import text


def test_a_code_signs_an_unknown_phone_in_and_makes_its_account(world, session):
    answer = world.ask("13800138000")
    assert answer.status_code == 202
    assert set(answer.json) == {"challenge_id", "expires_at", "resend_at"}
    challenge, code = world.code("+86 138 0013 8000")
    tokens = world.try_code(challenge, code, device={"name": "小明的手机"}).json
    assert tokens["token_type"] == "Bearer"  # noqa: S105
    assert tokens["expires_in"] == 600
    me = world.get("/me", tokens["access_token"]).json
    assert me["phone"] == "138****8000"
    assert (me["kind"], me["level"], me["real_name"]) == ("citizen", 1, "none")


def test_a_phone_signs_in_to_the_same_account_again(world, helpers):
    phone = helpers.new_phone()
    first, second = world.sign_in(phone), world.sign_in("+86" + phone)
    ids = {world.get("/me", each["access_token"]).json["account_id"] for each in (first, second)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    "phone", ["01088886666", "95588", "13800138", "+19005550100", "１２３４５６"]
)
def test_what_cannot_be_texted_gets_no_code(world, phone):
    answer = world.ask(phone)
    assert answer.status_code == 422
    assert answer.json["code"] == "phone_invalid"
    assert answer.json["errors"][0]["pointer"] == "/phone"


def test_another_code_waits_a_minute_however_the_phone_is_spelt(world):
    assert world.ask("13800138000").status_code == 202
    for spelt in ("+8613800138000", "138 0013 8000", "１３８００１３８０００"):
        answer = world.ask(spelt)
        assert answer.status_code == 429
        assert answer.json["code"] == "rate_limited"
        assert 55 <= answer.json["retry_after"] <= 60
        assert answer.headers["Retry-After"] == str(answer.json["retry_after"])


def test_known_and_unknown_phones_get_the_same_answers(world, helpers):
    known, unknown = helpers.new_phone(), helpers.new_phone()
    world.person(known)
    with_account, without = [
        (challenge, code, world.ask(phone))
        for phone in (known, unknown)
        for challenge, code in [world.code(phone)]
    ]
    for mine, other in zip(with_account, without, strict=True):
        assert type(mine) is type(other)
    assert with_account[2].status_code == without[2].status_code == 429
    answers = [
        world.try_code(challenge, helpers.wrong(code))
        for challenge, code, _ in (with_account, without)
    ]
    bodies = [{**answer.json, "trace_id": ""} for answer in answers]
    assert bodies[0] == bodies[1]
    assert [answer.status_code for answer in answers] == [401, 401]


@pytest.mark.parametrize(
    "code", ["12345", "1234567", "12345a", "１２３４５６", "٣٤٥٦٧٨", 123456, " 12345"]
)
def test_a_code_is_six_ascii_digits(world, code):
    challenge, _ = world.code("13800138000")
    assert world.try_code(challenge, code).status_code == 422


def test_five_wrong_tries_end_a_code(world, helpers):
    challenge, code = world.code("13800138000")
    for _ in range(5):
        answer = world.try_code(challenge, helpers.wrong(code))
        assert answer.json["code"] == "otp_invalid"
    assert world.try_code(challenge, code).status_code == 401


def test_the_fifth_try_may_still_be_right(world, helpers):
    challenge, code = world.code("13800138000")
    for _ in range(4):
        world.try_code(challenge, helpers.wrong(code))
    assert world.try_code(challenge, code).status_code == 200


def test_a_code_works_once(world):
    challenge, code = world.code("13800138000")
    assert world.try_code(challenge, code).status_code == 200
    assert world.try_code(challenge, code).json["code"] == "otp_invalid"


def test_a_code_belongs_to_its_challenge(world, helpers):
    mine, code = world.code("13800138000")
    other, other_code = world.code("13900139000")
    if code != other_code:
        assert world.try_code(other, code).status_code == 401
    assert world.try_code(str(uuid4()), code).status_code == 401
    assert world.try_code(mine, code).status_code == 200


def test_the_code_lies_nowhere_in_clear(world, session):
    challenge, code = world.code("13800138000")
    for table in ("accounts.otp_challenge", "accounts.otp_day", "accounts.account", "jobs.outbox"):
        rows = session.execute(text(f"SELECT to_jsonb(t) FROM {table} t")).scalars()
        stored = json.dumps(list(rows))
        assert "13800138000" not in stored
        assert f'"{code}"' not in stored
    assert challenge


def test_the_code_leaves_for_the_phone_in_the_callers_language(world, session, helpers):
    answer = world.client.post(
        "/api/v1/auth/otp", json={"phone": "13800138000"}, headers={"Accept-Language": "en"}
    )
    secret = helpers.sent_code(session, answer.json["challenge_id"])
    assert secret["phone"] == "+8613800138000"
    assert secret["language"] == "en"
    assert len(secret["code"]) == 6
    event, expires = session.execute(
        text("SELECT event, expires_at - created_at FROM jobs.outbox")
    ).one()
    assert event == "accounts.otp_requested"
    assert expires.total_seconds() <= 300


def test_a_registered_device_is_recognised_and_its_secret_is_said_once(world, helpers):
    phone = helpers.new_phone()
    device = world.sign_in(phone)["device"]
    again = world.sign_in(phone, device=device)["device"]
    assert again == {"id": device["id"]}


def test_a_device_that_does_not_prove_itself_is_a_new_one(world, helpers):
    phone = helpers.new_phone()
    device = world.sign_in(phone)["device"]
    challenge, code = world.code(phone)
    again = world.try_code(challenge, code, device={"id": device["id"], "secret": "made up"})
    assert again.json["device"]["id"] != device["id"]
    assert "secret" in again.json["device"]


def test_grants_do_not_mix(world):
    faults = {
        (): ("/grant_type", "required"),
        ("grant_type", "magic"): ("/grant_type", "not_one_of"),
    }
    for sent, (pointer, code) in faults.items():
        answer = world.post("/auth/token", dict([sent]) if sent else {})
        assert answer.status_code == 422
        assert (answer.json["errors"][0]["pointer"], answer.json["errors"][0]["code"]) == (
            pointer,
            code,
        )
    answer = world.token("otp", code="123456", username="li.wei", role="admin")
    assert answer.status_code == 422
    answer = world.token("otp", code="123456", username="li.wei")
    assert {(fault["pointer"], fault["code"]) for fault in answer.json["errors"]} == {
        ("/challenge_id", "required"),
        ("/username", "unknown_field"),
    }


def test_half_a_device_proof_is_refused(world):
    challenge, code = world.code("13800138000")
    answer = world.try_code(challenge, code, device={"id": str(uuid4())})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/device/secret"


def test_a_second_account_makes_the_phone_ask_which(world, helpers):
    phone = helpers.new_phone()
    first = world.person(phone)
    second = world.sign_in(phone, new_account=True)
    challenge, code = world.code(phone)
    asked = world.try_code(challenge, code)
    assert asked.status_code == 409
    assert asked.json["code"] == "account_choice_required"
    names = {choice["name"] for choice in asked.json["accounts"]}
    assert names == {"王*明", ""}
    wanted = world.get("/me", second["access_token"]).json["account_id"]
    chosen = world.try_code(challenge, code, account_id=wanted)
    assert chosen.status_code == 200
    assert world.get("/me", chosen.json["access_token"]).json["account_id"] == wanted
    assert world.try_code(challenge, code, account_id=wanted).status_code == 401
    assert first["access_token"] != second["access_token"]


def test_somebody_elses_account_cannot_be_chosen(world, helpers):
    stranger = world.get("/me", world.sign_in()["access_token"]).json["account_id"]
    challenge, code = world.code(helpers.new_phone())
    answer = world.try_code(challenge, code, account_id=stranger)
    assert answer.json["code"] == "account_choice_required"
    assert answer.json["accounts"] == []


def test_a_phone_serves_at_most_two_accounts(world, helpers):
    phone = helpers.new_phone()
    world.sign_in(phone)
    world.sign_in(phone, new_account=True)
    challenge, code = world.code(phone)
    assert world.try_code(challenge, code, new_account=True).json["code"] == "phone_full"


def test_a_suspended_account_is_told_so(world, session, helpers):
    phone = helpers.new_phone()
    tokens = world.sign_in(phone)
    session.execute(text("UPDATE accounts.account SET status = 'suspended'"))
    answer = world.get("/me", tokens["access_token"])
    assert (answer.status_code, answer.json["code"]) == (403, "account_suspended")
    assert world.refresh(tokens["refresh_token"]).status_code == 403
    challenge, code = world.code(phone)
    assert world.try_code(challenge, code).json["code"] == "account_suspended"
