"""Export and erasure of this room, and what comes back afterwards."""

import json

from sqlalchemy import text

from citizen_cloud import clock
from citizen_cloud.accounts.contribution import contribution
from citizen_cloud.accounts.jobs import forget_codes
from citizen_cloud.accounts.models.columns import SCHEMA
from citizen_cloud.accounts.services import authenticate
from citizen_cloud.db import Base
from citizen_cloud.manifest import Subject

HELD = contribution.personal_data


def ids(session, tokens):
    caller = authenticate(session.connection(), tokens["access_token"])
    return caller.account_id, caller.person.person_id


def test_the_bundle_holds_everything_opened(world, session, helpers):
    phone = helpers.new_phone()
    account_id, person_id = ids(session, world.person(phone))
    for subject in (Subject(account_id=account_id), Subject(person_id=person_id)):
        bundle = HELD.export(session, subject)
        json.dumps(bundle, default=str)
        assert bundle["accounts"][0]["phone"] == "+86" + phone
        assert bundle["persons"][0]["document_number"] == "11010519491231002X"
        assert bundle["persons"][0]["name"] == "王小明"
        assert [len(bundle[part]) for part in ("devices", "sign_ins", "consents", "codes")] == [
            1
        ] * 4
        assert len(bundle["code_days"]) == 1


def test_codes_to_other_numbers_are_exported_and_erased(world, session, helpers):
    tokens = world.sign_in(device={"name": "小明的手机"})
    token = tokens["access_token"]
    world.sent("/me/phone/code", {"phone": helpers.new_phone()}, token)
    world.sent("/me/step-up/code", None, token)
    account_id = authenticate(session.connection(), token).account_id
    bundle = HELD.export(session, Subject(account_id=account_id))
    assert {code["purpose"] for code in bundle["codes"]} == {"sign_in", "new_phone", "step_up"}
    assert len(bundle["code_days"]) == 3
    assert [device["name"] for device in bundle["devices"]] == ["小明的手机"]
    HELD.erase(session, Subject(account_id=account_id), clock.now())
    left = session.execute(text("SELECT count(*) FROM accounts.otp_challenge")).scalar_one()
    # What is left is the other number's day: it is nobody's here.
    days = session.execute(text("SELECT count(*) FROM accounts.otp_day")).scalar_one()
    assert (left, days) == (0, 1)


def test_a_bundle_holds_nobody_elses_data(world, session):
    world.person()
    other = world.sign_in()
    account_id = authenticate(session.connection(), other["access_token"]).account_id
    bundle = HELD.export(session, Subject(account_id=account_id))
    assert bundle["persons"] == []
    assert len(bundle["devices"]) == 1


def test_erasure_leaves_nothing_that_tells_who_it_was(world, session, helpers):
    phone = helpers.new_phone()
    tokens = world.person(phone)
    account_id, _ = ids(session, tokens)
    assert HELD.erase(session, Subject(account_id=account_id), clock.now()) > 0
    for table in HELD.tables:
        rows = session.execute(text(f"SELECT to_jsonb(t) FROM {table} t")).scalars().all()
        if table not in ("accounts.account", "accounts.person"):
            assert rows == [], table
    account = session.execute(text("SELECT to_jsonb(a) FROM accounts.account a")).scalar_one()
    assert account["status"] == "closed"
    assert not any(account[name] for name in account if name.endswith(("_sealed", "_index")))
    person = session.execute(text("SELECT to_jsonb(p) FROM accounts.person p")).scalar_one()
    assert not any(
        person[name] for name in ("document_sealed", "document_index", "name_sealed", "person_key")
    )
    assert world.get("/me", tokens["access_token"]).status_code == 401
    assert HELD.erase(session, Subject(account_id=account_id), clock.now()) <= 1


def test_who_comes_back_is_a_new_person_with_the_same_quota(world, session, helpers):
    phone = helpers.new_phone()
    tokens = world.person(phone)
    account_id, person_id = ids(session, tokens)
    key = session.scalar(text("SELECT person_key FROM accounts.person"))
    HELD.erase(session, Subject(account_id=account_id), clock.now())
    again = world.person(phone)
    new_account, new_person = ids(session, again)
    assert (new_account, new_person) != (account_id, person_id)
    assert authenticate(session.connection(), again["access_token"]).person.person_key == key


def test_every_table_of_the_room_is_declared():
    named = {
        table.fullname
        for table in Base.metadata.tables.values()
        if table.schema == SCHEMA["schema"]
    }
    # Counts by the hour: of networks, kept as keyed hashes for a day, and of texts.
    counts = {"accounts.network_hour", "accounts.sms_hour"}
    # Made-up people are nobody's data.
    assert named - counts - {"accounts.honey_person"} == HELD.tables


def test_codes_and_counters_are_forgotten(world, session):
    world.sign_in()
    session.execute(
        text("UPDATE accounts.otp_challenge SET expires_at = now() - interval '2 days'")
    )
    session.execute(text("UPDATE accounts.otp_day SET day_on = day_on - 9"))
    session.execute(text("UPDATE accounts.sign_in SET expires_at = now() - interval '184 days'"))
    assert forget_codes(clock.now()) == 3
