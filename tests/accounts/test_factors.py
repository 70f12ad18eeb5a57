"""Recovery codes, another authenticator, and how the factors stand."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts import handed_codes, refresh_tokens
from citizen_cloud.accounts.services import factors, recovery_codes, staff
from citizen_cloud.accounts.services.sign_ins import Issued


@pytest.fixture
def member(world):
    """Return (username, password, generator, access token)."""
    username, password, generator, tokens = world.enrolled()
    return username, password, generator, tokens["access_token"]


def draw(world, token):
    answer = world.post("/me/recovery-codes", None, token)
    assert answer.status_code == 200, answer.json
    return answer.json["codes"]


def recover(world, member, code, **more):
    username, password, *_ = member
    return world.token("password", username=username, password=password, recovery_code=code, **more)


def age(session):
    session.execute(text("UPDATE accounts.sign_in SET proved_at = now() - interval '6 minutes'"))


def acts(session):
    return session.execute(text("SELECT action FROM audit.entry ORDER BY id")).scalars().all()


def news(session):
    return session.scalars(
        text("SELECT payload ->> 'what' FROM jobs.outbox WHERE event = 'accounts.way_in_changed'")
    ).all()


def test_ten_codes_are_drawn_once_and_none_lies_in_clear(world, member, session):
    codes = draw(world, member[3])
    assert len(set(codes)) == 10
    # 24 letters of base32: 120 bits.
    assert all(len(code.replace("-", "")) == 24 for code in codes)
    for table in ("accounts.recovery_code", "audit.entry", "jobs.outbox"):
        rows = " ".join(session.scalars(text(f"SELECT t::text FROM {table} t")).all())
        assert not any(code in rows or code.replace("-", "") in rows for code in codes)
    assert world.get("/me/factors", member[3]).json["recovery_codes_left"] == 10
    assert acts(session)[-1] == "accounts.recovery_codes_drawn"


def test_a_code_stands_in_for_the_authenticator_once(world, member, session):
    codes = draw(world, member[3])
    first = recover(world, member, codes[0])
    assert first.status_code == 200
    assert world.get("/me", first.json["access_token"]).status_code == 200
    again = recover(world, member, codes[0])
    assert (again.status_code, again.json["code"]) == (401, "credentials_invalid")
    assert world.get("/me/factors", member[3]).json["recovery_codes_left"] == 9
    assert "accounts.recovery_code_used" in acts(session)
    assert news(session) == ["recovery_codes_drawn", "recovery_code_used"]


def test_a_code_may_be_typed_as_people_type(world, member):
    codes = draw(world, member[3])
    assert recover(world, member, codes[0].lower().replace("-", " ")).status_code == 200
    assert recover(world, member, codes[1].replace("-", "")).status_code == 200


def test_a_new_set_makes_the_old_one_worthless(world, member):
    old, new = draw(world, member[3]), draw(world, member[3])
    assert recover(world, member, old[0]).status_code == 401
    assert recover(world, member, new[0]).status_code == 200


def test_anothers_code_opens_nothing_and_counts_as_a_failure(world, member, session):
    other = world.enrolled()
    codes = draw(world, other[3]["access_token"])
    draw(world, member[3])
    assert recover(world, member, codes[0]).status_code == 401
    counted = session.scalar(
        text("SELECT failures FROM accounts.account WHERE username = :u"), {"u": member[0]}
    )
    assert counted == 1
    # Nor was it used up.
    assert recover(world, other, codes[0]).status_code == 200


def test_a_recovery_code_without_the_password_is_worth_nothing(world, member):
    code = draw(world, member[3])[0]
    answer = recover(world, (member[0], "wrong password"), code)
    assert answer.json["code"] == "credentials_invalid"
    assert recover(world, member, code).status_code == 200


def test_both_factors_at_once_are_one_too_many(world, member):
    code = draw(world, member[3])[0]
    answer = recover(world, member, code, totp="000000")
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/recovery_code")


def test_codes_are_drawn_by_who_showed_both_factors_just_now(world, member, session):
    age(session)
    guess = {"current": "a guess at it", "new": "四月的风 吹过海边 42"}
    for path, body in (
        ("/me/recovery-codes", None),
        ("/me/totp", None),
        ("/me/password", guess),
    ):
        answer = world.post(path, body, member[3])
        assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
        assert answer.json["max_age_s"] == 300
    assert session.scalar(text("SELECT count(*) FROM accounts.recovery_code")) == 0


def test_citizens_have_no_such_factors(world):
    token = world.sign_in()["access_token"]
    assert world.get("/me/factors", token).status_code == 403
    for path, body in (("", None), ("/confirmation", {"totp": "000000"})):
        assert world.post("/me/totp" + path, body, token).status_code == 403
    assert world.post("/me/recovery-codes", None, token).status_code == 403


def test_twenty_who_bring_one_code_at_once_are_let_in_once(fresh_database, race, told):
    with db.transaction() as session:
        account_id, sign_in_id, checked = _enrolled(session)
        code = recovery_codes.draw_codes(session, account_id=account_id, sign_in_id=sign_in_id)[0]

    def bring(_):
        with db.transaction() as session:
            return staff.sign_in(session, checked=checked, code=None, recovery_code=code)

    outcomes = race(20, bring)
    assert sum(isinstance(outcome, Issued) for outcome in outcomes) == 1


def _enrolled(session):
    account_id, password = staff_account(session)
    found = staff.find(session.connection(), username="li.wei")
    checked = staff.compared(found, password)
    told = staff.sign_in(session, checked=checked, code=None)
    code = pyotp.TOTP(told.facts["secret"]).now()
    issued = staff.sign_in(session, checked=checked, code=code)
    assert isinstance(issued, Issued)
    return account_id, refresh_tokens.parse(issued.refresh_token).sign_in_id, checked


def staff_account(session):
    from citizen_cloud.accounts import hashing
    from citizen_cloud.accounts.services import open_account

    hashed = hashing.current().hash("right-horse-battery")
    facts = {"username": "li.wei", "display_name": "李伟", "kind": "staff"}
    return open_account(session, password_hash=hashed, **facts), "right-horse-battery"


def test_another_authenticator_counts_once_it_is_confirmed(world, member, session):
    username, password, old, token = member
    elsewhere = world.token(
        "password",
        username=username,
        password=password,
        totp=old.at(clock.now() + timedelta(seconds=30)),
    ).json["access_token"]
    begun = world.post("/me/totp", None, token)
    assert begun.status_code == 200
    assert begun.json["secret"] in begun.json["otpauth_uri"]
    new = pyotp.TOTP(begun.json["secret"])
    # Not yet: the present one counts.
    early = world.token("password", username=username, password=password, totp=new.now())
    assert early.json["code"] == "credentials_invalid"
    wrong = world.post("/me/totp/confirmation", {"totp": old.now()}, token)
    assert (wrong.status_code, wrong.json["code"]) == (422, "totp_wrong")
    assert world.post("/me/totp/confirmation", {"totp": new.now()}, token).status_code == 204
    assert world.get("/me", token).status_code == 200
    assert world.get("/me", elsewhere).status_code == 401
    for generator, status in ((old, 401), (new, 200)):
        later = generator.at(clock.now() + timedelta(seconds=30))
        answer = world.token("password", username=username, password=password, totp=later)
        assert answer.status_code == status
    assert "accounts.totp_replaced" in acts(session)
    assert "totp_replaced" in news(session)
    stored = session.scalars(text("SELECT a::text FROM accounts.account a")).all()
    assert not any(begun.json["secret"] in row for row in stored)


def test_the_code_that_confirmed_does_not_sign_in(world, member):
    username, password, _, token = member
    new = pyotp.TOTP(world.post("/me/totp", None, token).json["secret"])
    code = new.now()
    world.post("/me/totp/confirmation", {"totp": code}, token)
    again = world.token("password", username=username, password=password, totp=code)
    assert again.json["code"] == "credentials_invalid"


def test_a_set_up_that_took_too_long_begins_anew(world, member, session):
    token = member[3]
    new = pyotp.TOTP(world.post("/me/totp", None, token).json["secret"])
    session.execute(text("UPDATE accounts.account SET next_totp_until = now() - interval '1 s'"))
    late = world.post("/me/totp/confirmation", {"totp": new.now()}, token)
    assert late.json["code"] == "totp_wrong"
    never = world.enrolled()[3]["access_token"]
    assert world.post("/me/totp/confirmation", {"totp": "000000"}, never).status_code == 422


def test_who_has_no_authenticator_yet_neither_replaces_it_nor_draws_codes(session, database):
    from citizen_cloud.errors import Forbidden

    account_id, _ = staff_account(session)
    with pytest.raises(Forbidden):
        factors.begin_totp(session, account_id=account_id)
    with pytest.raises(Forbidden):
        recovery_codes.draw_codes(session, account_id=account_id, sign_in_id=db.new_id())


def test_the_factors_say_how_they_stand(world, member):
    stand = world.get("/me/factors", member[3]).json
    assert (stand["totp"], stand["recovery_codes_left"]) == (True, 0)
    assert stand["password_changed_at"] is not None


def test_handed_codes_have_the_bits_they_say():
    assert len(handed_codes.drawn()) == 32
    assert handed_codes.drawn() != handed_codes.drawn()
    assert handed_codes.TYPED_BYTES * 8 >= 112
    code = handed_codes.drawn_to_type()
    assert handed_codes.hash_of_typed(code) == handed_codes.hash_of(code.replace("-", ""))
