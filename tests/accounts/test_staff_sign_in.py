"""Staff and admins: password and a second factor, the same answer for every failure."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.refusals import UsernameTaken
from citizen_cloud.accounts.services import authenticate, create_staff
from citizen_cloud.errors import Unauthenticated


def try_password(world, username, password, **more):
    return world.token("password", username=username, password=password, **more)


def test_the_first_sign_in_sets_the_second_factor_up(world):
    _, username, password = world.staff()
    told = try_password(world, username, password)
    assert (told.status_code, told.json["code"]) == (401, "totp_enrolment_required")
    assert told.json["secret"] in told.json["otpauth_uri"]
    again = try_password(world, username, password)
    assert again.json["secret"] == told.json["secret"]
    code = pyotp.TOTP(told.json["secret"]).now()
    tokens = try_password(world, username, password, totp=code)
    assert tokens.status_code == 200
    me = world.get("/me", tokens.json["access_token"]).json
    assert (me["kind"], me["name"], me["phone"]) == ("staff", "李药师", None)


def test_the_second_factor_is_asked_for_from_then_on(world):
    username, password, generator, _ = world.enrolled()
    answer = try_password(world, username, password)
    assert (answer.status_code, answer.json["code"]) == (401, "totp_required")
    assert "secret" not in answer.json
    later = generator.at(clock.now() + timedelta(seconds=30))
    assert try_password(world, username, password, totp=later).status_code == 200


def test_a_code_of_the_second_factor_works_once(world):
    username, password, generator, _ = world.enrolled()
    answer = try_password(world, username, password, totp=generator.now())
    assert answer.json["code"] == "credentials_invalid"
    earlier = generator.at(clock.now() - timedelta(seconds=30))
    assert try_password(world, username, password, totp=earlier).status_code == 401


def test_every_failure_gets_the_same_answer(world):
    username, password, generator, _ = world.enrolled()
    answers = [
        try_password(world, "nobody.here", password),
        try_password(world, username, "wrong password"),
        try_password(world, username, password, totp="000000"),
        try_password(world, username, "wrong password", totp=generator.now()),
    ]
    assert len({(answer.status_code, answer.json["detail"]) for answer in answers}) == 1
    assert {answer.json["code"] for answer in answers} == {"credentials_invalid"}


def test_an_unknown_name_costs_as_much_as_a_known_one(world, monkeypatch):
    _, username, _ = world.staff()
    compared = []
    verify = hashing.Passwords._verify

    def note(self, stored, password):
        compared.append(stored.split("$")[:4])
        return verify(self, stored, password)

    monkeypatch.setattr(hashing.Passwords, "_verify", note)
    try_password(world, username, "wrong password")
    try_password(world, "nobody.here", "wrong password")
    assert len(compared) == 2
    assert compared[0] == compared[1]


def test_user_names_are_one_whatever_their_case(world):
    password = world.staff(username="li.wei")[2]
    assert try_password(world, "LI.Wei", password).json["code"] == "totp_enrolment_required"
    with db.transaction() as session, pytest.raises(UsernameTaken):
        create_staff(session, username="Li.Wei", display_name="李伟", kind="staff")


def test_five_failures_pause_the_account_even_for_the_right_password(world, session):
    username, password, generator, _ = world.enrolled()
    for _ in range(5):
        try_password(world, username, "wrong password")
    code = generator.at(clock.now() + timedelta(seconds=30))
    paused = try_password(world, username, password, totp=code)
    assert paused.json["code"] == "credentials_invalid"
    acts = session.execute(text("SELECT action FROM audit.entry")).scalars().all()
    assert acts.count("accounts.sign_in_failing") == 1
    session.execute(text("UPDATE accounts.account SET locked_until = now() - interval '1 s'"))
    assert try_password(world, username, password, totp=code).status_code == 200
    assert session.scalar(text("SELECT failures FROM accounts.account")) == 0


def test_a_stranger_who_guesses_does_not_lock_a_registered_device_out(world, session):
    username, password, generator, tokens = world.enrolled()
    device = tokens["device"]
    for _ in range(6):
        try_password(world, username, "wrong password")
        try_password(world, username, "wrong password", device={**device, "secret": "x" * 43})
    code = generator.at(clock.now() + timedelta(seconds=30))
    assert try_password(world, username, password, totp=code).status_code == 401
    mine = try_password(world, username, password, totp=code, device=device)
    assert (mine.status_code, mine.json["device"]["id"]) == (200, device["id"])
    # The stranger's count stands: he gets no five new guesses out of it.
    assert session.scalar(text("SELECT locked_until > now() FROM accounts.account"))


def test_a_registered_device_pauses_after_five_failures_of_its_own(world, session):
    username, password, generator, tokens = world.enrolled()
    device = tokens["device"]
    for _ in range(5):
        try_password(world, username, "wrong password", device=device)
    code = generator.at(clock.now() + timedelta(seconds=30))
    assert try_password(world, username, password, totp=code, device=device).status_code == 401
    assert session.scalar(text("SELECT failures FROM accounts.account")) == 0
    session.execute(text("UPDATE accounts.device SET locked_until = now() - interval '1 s'"))
    assert try_password(world, username, password, totp=code, device=device).status_code == 200
    assert session.scalar(text("SELECT failures FROM accounts.device")) == 0


def test_wrong_codes_count_as_failures(world, session):
    username, password, _, _ = world.enrolled()
    for _ in range(5):
        try_password(world, username, password, totp="000000")
    assert session.scalar(text("SELECT locked_until > now() FROM accounts.account"))


def test_a_suspended_member_is_told_after_both_factors(world, session):
    username, password, generator, _ = world.enrolled()
    session.execute(text("UPDATE accounts.account SET status = 'suspended'"))
    code = generator.at(clock.now() + timedelta(seconds=30))
    assert try_password(world, username, password).json["code"] == "totp_required"
    assert try_password(world, username, password, totp=code).json["code"] == "account_suspended"


@pytest.mark.parametrize(("kind", "idle", "total"), [("staff", 30, 12), ("admin", 15, 8)])
def test_staff_sign_ins_end_when_idle_and_in_any_case(world, session, kind, idle, total):
    tokens = world.enrolled(kind)[3]
    lasts, rests = session.execute(
        text("SELECT expires_at - created_at, idle_expires_at - created_at FROM accounts.sign_in")
    ).one()
    assert lasts == timedelta(hours=total)
    assert rests == timedelta(minutes=idle)
    session.execute(text("UPDATE accounts.sign_in SET idle_expires_at = now() - interval '1 s'"))
    assert world.get("/me", tokens["access_token"]).status_code == 401
    assert world.refresh(tokens["refresh_token"]).status_code == 401


@pytest.mark.parametrize("kind", ["staff", "admin"])
def test_a_busy_sign_in_ends_all_the_same(world, session, kind):
    tokens = world.enrolled(kind)[3]
    session.execute(text("UPDATE accounts.sign_in SET expires_at = now() + interval '30 s'"))
    again = world.refresh(tokens["refresh_token"])
    # The access token that a refresh gives ends with the sign-in, and its end does not move.
    assert again.status_code == 200
    assert again.json["expires_in"] <= 30
    assert session.scalar(
        text("SELECT expires_at <= now() + interval '30 s' FROM accounts.sign_in")
    )
    session.execute(text("UPDATE accounts.sign_in SET expires_at = now() - interval '1 s'"))
    assert world.get("/me", again.json["access_token"]).status_code == 401
    assert world.refresh(again.json["refresh_token"]).status_code == 401


def test_a_refresh_is_no_sign_of_life(world, session):
    """Idle is who asks for nothing: an app that refreshes by itself keeps no session open."""
    tokens = world.enrolled()[3]
    before = session.scalar(text("SELECT idle_expires_at FROM accounts.sign_in"))
    assert world.refresh(tokens["refresh_token"]).status_code == 200
    assert session.scalar(text("SELECT idle_expires_at FROM accounts.sign_in")) == before


def test_being_busy_is_written_down_at_most_once_a_minute(world, session, statements):
    token = world.enrolled()[3]["access_token"]
    statements.clear()
    world.get("/me", token)
    assert len(statements) == 1
    session.execute(
        text("UPDATE accounts.sign_in SET idle_expires_at = idle_expires_at - interval '61 s'")
    )
    statements.clear()
    world.get("/me", token)
    assert [statement.split()[0] for statement in statements] == ["WITH", "UPDATE"]
    statements.clear()
    world.get("/me", token)
    assert len(statements) == 1


def test_idle_staff_are_refused_by_the_statement_itself(world, session):
    token = world.enrolled()[3]["access_token"]
    with db.statement() as connection:
        later = clock.now() + timedelta(minutes=31)
        with pytest.raises(Unauthenticated):
            authenticate(connection, token, now=later)


def test_staff_change_their_password_and_their_other_sign_ins_end(world, session):
    username, password, generator, here = world.enrolled()
    there = world.token(
        "password",
        username=username,
        password=password,
        totp=generator.at(clock.now() + timedelta(seconds=30)),
    ).json
    change = {"current": password, "new": "四月的风 吹过海边 42"}
    assert world.post("/me/password", change, here["access_token"]).status_code == 204
    assert world.get("/me", here["access_token"]).status_code == 200
    assert world.get("/me", there["access_token"]).status_code == 401
    assert try_password(world, username, password).json["code"] == "credentials_invalid"
    assert try_password(world, username, change["new"]).json["code"] == "totp_required"
    acts = session.execute(text("SELECT action FROM audit.entry")).scalars().all()
    assert "accounts.password_changed" in acts


@pytest.mark.parametrize("new", ["short", "password1", "woaini1314"])
def test_a_weak_password_is_refused(world, new):
    _, password, _, tokens = world.enrolled()
    answer = world.post("/me/password", {"current": password, "new": new}, tokens["access_token"])
    assert (answer.status_code, answer.json["code"]) == (422, "password_too_weak")
    assert new not in answer.text


def test_the_current_password_is_needed_and_the_new_one_is_another(world):
    _, password, _, tokens = world.enrolled()
    token = tokens["access_token"]
    wrong = world.post("/me/password", {"current": "wrong", "new": "a long new one"}, token)
    assert wrong.json["code"] == "password_wrong"
    same = world.post("/me/password", {"current": password, "new": password}, token)
    assert same.json["code"] == "password_too_weak"


def test_citizens_have_no_password(world):
    token = world.sign_in()["access_token"]
    change = {"current": "wrong", "new": "a long new one"}
    assert world.post("/me/password", change, token).status_code == 403


def test_neither_password_nor_factor_lies_in_clear(world, session):
    username, password, generator, _ = world.enrolled()
    stored = str(
        session.execute(text("SELECT to_jsonb(a) FROM accounts.account a")).scalars().all()
    )
    assert username in stored
    assert password not in stored
    assert generator.secret not in stored
    assert "李药师" not in stored
