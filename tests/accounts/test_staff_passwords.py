"""One-time passwords: good for three days, and for nothing but choosing another one."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts.services import create_staff, staff
from citizen_cloud.accounts.services.sign_ins import Issued

NEW = "四月的风 吹过海边 42"


def sign_in(world, username, password, **more):
    return world.token("password", username=username, password=password, **more)


def first_code(world, username, password):
    told = sign_in(world, username, password, new_password=NEW)
    assert told.json["code"] == "totp_enrolment_required"
    return pyotp.TOTP(told.json["secret"]).now()


def test_a_one_time_password_opens_nothing_before_it_is_replaced(world):
    username, password = world.one_time()
    for more in ({}, {"totp": "000000"}):
        answer = sign_in(world, username, password, **more)
        assert (answer.status_code, answer.json["code"]) == (401, "password_change_required")
        assert "secret" not in answer.json


def test_the_first_sign_in_replaces_it_and_then_it_is_dead(world, session):
    username, password = world.one_time()
    code = first_code(world, username, password)
    # Until both factors are there nothing changes: a lost answer locks nobody out.
    assert first_code(world, username, password)
    tokens = sign_in(world, username, password, new_password=NEW, totp=code)
    assert tokens.status_code == 200
    assert sign_in(world, username, password).json["code"] == "credentials_invalid"
    assert sign_in(world, username, NEW).json["code"] == "totp_required"
    until, changed = session.execute(
        text("SELECT password_until, password_changed_at FROM accounts.account")
    ).one()
    assert until is None
    assert changed is not None
    acts = session.execute(text("SELECT action FROM audit.entry")).scalars().all()
    assert {"accounts.password_changed", "accounts.signed_in"} <= set(acts)


@pytest.mark.parametrize("new", ["short", "password1", "woaini1314"])
def test_a_weak_password_does_not_replace_it(world, new):
    username, password = world.one_time()
    code = first_code(world, username, password)
    answer = sign_in(world, username, password, new_password=new, totp=code)
    assert (answer.status_code, answer.json["code"]) == (422, "password_too_weak")
    assert answer.json["errors"][0]["pointer"] == "/new_password"
    assert new not in answer.text


def test_neither_the_same_nor_the_user_name_replaces_it(world):
    username, password = world.one_time()
    for new in (password, username.upper()):
        answer = sign_in(world, username, password, new_password=new)
        assert answer.json["code"] == "password_too_weak"


def test_a_wrong_password_is_not_told_about_the_new_one(world):
    username, _ = world.one_time()
    short = "short"
    answer = sign_in(world, username, "wrong password", new_password=short)
    assert answer.json["code"] == "credentials_invalid"


@pytest.mark.parametrize(("hours", "code"), [(71, "password_change_required"), (73, "invalid")])
def test_it_is_over_after_72_hours(database, hours, code):
    with db.transaction() as session:
        _, password = create_staff(session, username="li.wei", display_name="李伟", kind="staff")
        checked = staff.compared(staff.find(session.connection(), username="li.wei"), password)
        later = clock.now() + timedelta(hours=hours)
        refusal = staff.sign_in(session, checked=checked, code=None, now=later)
    assert code in refusal.code


def test_an_ended_one_time_password_counts_as_a_failure(world, session):
    username, password = world.one_time()
    session.execute(text("UPDATE accounts.account SET password_until = now() - interval '1 s'"))
    assert sign_in(world, username, password, new_password=NEW).status_code == 401
    assert session.scalar(text("SELECT failures FROM accounts.account")) == 1


def test_any_password_can_be_replaced_while_signing_in_and_other_sign_ins_end(world):
    username, password, generator, tokens = world.enrolled()
    later = generator.at(clock.now() + timedelta(seconds=30))
    answer = sign_in(world, username, password, new_password=NEW, totp=later)
    assert answer.status_code == 200
    assert world.get("/me", answer.json["access_token"]).status_code == 200
    assert world.get("/me", tokens["access_token"]).status_code == 401


def test_two_first_sign_ins_at_once_give_one_password(fresh_database, race):
    """Each replaces it by another one; whoever comes second had compared with the old one."""
    with db.transaction() as session:
        _, password = create_staff(session, username="li.wei", display_name="李伟", kind="staff")
    with db.transaction() as session:
        checked = staff.compared(staff.find(session.connection(), username="li.wei"), password)
        told = staff.sign_in(session, checked=checked, code=None, new=staff.NewPassword(hash="x"))
        generator = pyotp.TOTP(told.facts["secret"])

    def first(number):
        # The neighbouring steps are good as well: both bring a code that was never used.
        code = generator.at(clock.now() + timedelta(seconds=30 * number))
        with db.transaction() as session:
            return staff.sign_in(
                session, checked=checked, code=code, new=staff.NewPassword(hash=f"new {number}")
            )

    outcomes = race(2, first)
    assert sum(isinstance(outcome, Issued) for outcome in outcomes) == 1
    with db.transaction() as session:
        hashed = session.scalar(text("SELECT password_hash FROM accounts.account"))
    assert hashed == f"new {[isinstance(one, Issued) for one in outcomes].index(True)}"
