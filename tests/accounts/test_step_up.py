"""Showing the factors again: codes bound to purpose, device and account; failures that count."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from citizen_cloud import clock
from citizen_cloud.accounts.refusals import OtpInvalid
from citizen_cloud.accounts.services import otp, otp_tries
from citizen_cloud.accounts.services.otp_tries import ProvenPhone

PURPOSES = ("sign_in", "step_up", "new_phone", "counter")
CODE = "493027"


def grow_old(session):
    session.execute(text("UPDATE accounts.sign_in SET proved_at = now() - interval '1 hour'"))


def is_fresh(session):
    return session.scalar(
        text("SELECT proved_at > now() - interval '1 minute' FROM accounts.sign_in")
    )


def test_a_code_to_the_own_phone_opens_fresh_doors_again(world, session, helpers):
    token = world.sign_in()["access_token"]
    grow_old(session)
    refused = world.change_phone(helpers.new_phone(), token)
    assert (refused.status_code, refused.json["code"]) == (401, "step_up_required")
    assert refused.json["max_age_s"] == 300
    assert refused.json["actions"][0]["href"] == "/api/v1/me/step-up"
    world.step_up(token)
    assert world.change_phone(helpers.new_phone(), token).status_code == 204
    acts = session.execute(text("SELECT action, actor_kind FROM audit.entry")).all()
    assert ("accounts.stepped_up", "citizen") in [tuple(act) for act in acts]


def test_the_step_up_code_goes_to_the_own_phone_and_takes_no_other(world, session, helpers):
    phone = helpers.new_phone()
    token = world.sign_in(phone)["access_token"]
    challenge, _ = world.sent("/me/step-up/code", None, token)
    assert helpers.sent_code(session, challenge)["phone"] == "+86" + phone


def test_a_step_up_code_works_once(world, session):
    token = world.sign_in()["access_token"]
    challenge, code = world.sent("/me/step-up/code", None, token)
    sent = {"challenge_id": challenge, "code": code}
    assert world.post("/me/step-up", sent, token).status_code == 204
    assert world.post("/me/step-up", sent, token).json["code"] == "otp_invalid"


@pytest.mark.parametrize("asked", PURPOSES)
def test_a_code_is_good_for_its_own_purpose_only(session, asked):
    challenge = otp.request_code(
        session, phone="13800138000", code=CODE, language="zh", purpose=asked
    )
    for tried in sorted(PURPOSES, key=lambda purpose: purpose == asked):
        outcome = otp_tries.try_code(
            session.connection(), challenge_id=challenge.challenge_id, code=CODE, purpose=tried
        )
        assert isinstance(outcome, ProvenPhone if tried == asked else OtpInvalid), tried
    # Asked about by the purpose, and by the hash: the first keeps the tries for whom they are.
    assert session.scalar(text("SELECT tries FROM accounts.otp_challenge")) == 1


def test_the_hash_of_a_code_names_its_purpose(session):
    challenge = otp.request_code(session, phone="13800138000", code=CODE, language="zh")
    hashes = {otp.code_hash(challenge.challenge_id, purpose, CODE) for purpose in PURPOSES}
    assert len(hashes) == len(PURPOSES)


def test_a_sign_in_code_does_not_step_up_nor_the_other_way_round(world, helpers):
    phone = helpers.new_phone()
    tokens = world.sign_in(phone)
    token = tokens["access_token"]
    challenge, code = world.code(phone, device=tokens["device"])
    sent = {"challenge_id": challenge, "code": code}
    assert world.post("/me/step-up", sent, token).json["code"] == "otp_invalid"
    challenge, code = world.sent("/me/step-up/code", None, token)
    answer = world.try_code(challenge, code, device=tokens["device"])
    assert answer.json["code"] == "otp_invalid"
    sent = {"challenge_id": challenge, "code": code}
    assert world.post("/me/phone", sent, token).json["code"] == "otp_invalid"


def test_anothers_code_is_as_wrong_as_any(world):
    mine, other = (world.sign_in()["access_token"] for _ in range(2))
    challenge, code = world.sent("/me/step-up/code", None, other)
    answer = world.post("/me/step-up", {"challenge_id": challenge, "code": code}, mine)
    assert (answer.status_code, answer.json["code"]) == (401, "otp_invalid")


def test_the_code_of_another_device_of_the_account_is_wrong(world, helpers):
    phone = helpers.new_phone()
    here, there = (world.sign_in(phone)["access_token"] for _ in range(2))
    challenge, code = world.sent("/me/step-up/code", None, there)
    answer = world.post("/me/step-up", {"challenge_id": challenge, "code": code}, here)
    assert answer.json["code"] == "otp_invalid"


def test_failures_of_a_step_up_count_on_the_devices_day_and_lock_it(world, session, helpers):
    token = world.sign_in()["access_token"]
    for _ in range(4):
        challenge, code = world.sent("/me/step-up/code", None, token)
        for _ in range(5):
            sent = {"challenge_id": challenge, "code": helpers.wrong(code)}
            assert world.post("/me/step-up", sent, token).status_code == 401
    locked = world.post("/me/step-up/code", None, token)
    assert (locked.status_code, locked.json["code"]) == (429, "rate_limited")
    assert 3500 < locked.json["retry_after"] <= 3600
    assert not session.scalar(text("SELECT max(sent) FROM accounts.otp_day WHERE sent > 10"))


def test_an_account_without_a_phone_is_sent_to_a_counter(world, session):
    token = world.sign_in()["access_token"]
    session.execute(text("UPDATE accounts.account SET phone_sealed = NULL, phone_index = NULL"))
    answer = world.post("/me/step-up/code", None, token)
    assert (answer.status_code, answer.json["code"]) == (409, "phone_missing")


def test_staff_step_up_by_password_and_a_code_not_used_before(world, session):
    username, password, generator, tokens = world.enrolled()
    token = tokens["access_token"]
    grow_old(session)
    used = {"password": password, "totp": generator.now()}
    assert world.post("/me/step-up", used, token).json["code"] == "credentials_invalid"
    assert not is_fresh(session)
    later = generator.at(clock.now() + timedelta(seconds=30))
    answer = world.post("/me/step-up", {"password": password, "totp": later}, token)
    assert answer.status_code == 204
    assert is_fresh(session)
    assert username


def test_failures_of_staff_pause_this_device_even_for_the_right_factors(world, session):
    _, password, generator, tokens = world.enrolled()
    token = tokens["access_token"]
    for _ in range(5):
        sent = {"password": "wrong password", "totp": "000000"}
        assert world.post("/me/step-up", sent, token).json["code"] == "credentials_invalid"
    later = generator.at(clock.now() + timedelta(seconds=30))
    right = {"password": password, "totp": later}
    assert world.post("/me/step-up", right, token).json["code"] == "credentials_invalid"
    session.execute(text("UPDATE accounts.device SET locked_until = now() - interval '1 s'"))
    assert world.post("/me/step-up", right, token).status_code == 204


def test_each_kind_shows_its_own_factors(world):
    citizen = world.sign_in()["access_token"]
    _, password, generator, tokens = world.enrolled()
    by_password = {"password": password, "totp": generator.now()}
    assert world.post("/me/step-up", by_password, citizen).status_code == 403
    challenge, code = world.sent("/me/step-up/code", None, citizen)
    by_code = {"challenge_id": challenge, "code": code}
    assert world.post("/me/step-up", by_code, tokens["access_token"]).status_code == 403
    assert world.post("/me/step-up/code", None, tokens["access_token"]).status_code == 403


@pytest.mark.parametrize(
    ("sent", "faults"),
    [
        ({}, {"/challenge_id": "required", "/code": "required"}),
        ({"code": CODE}, {"/challenge_id": "required"}),
        ({"password": "x"}, {"/totp": "required"}),
        ({"code": CODE, "password": "x", "totp": CODE}, {"/code": "unknown_field"}),
    ],
)
def test_half_of_the_factors_or_both_kinds_are_refused(world, sent, faults):
    answer = world.post("/me/step-up", sent, world.sign_in()["access_token"])
    assert answer.status_code == 422
    assert {fault["pointer"]: fault["code"] for fault in answer.json["errors"]} == faults
