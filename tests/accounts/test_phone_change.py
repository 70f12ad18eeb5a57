"""A citizen takes another number; a number gets another citizen."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import PhoneFull
from citizen_cloud.accounts.services import citizens, otp, otp_tries, phones
from citizen_cloud.accounts.services.citizens import Wish
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.db import new_id
from citizen_cloud.errors import TooMany


def masked(phone):
    return f"{phone[:3]}****{phone[-4:]}"


def events(session, name):
    return session.execute(
        text("SELECT payload FROM jobs.outbox WHERE event = :name"), {"name": name}
    ).scalars()


def months_pass(session, where="true", days=91):
    session.execute(
        text(
            f"UPDATE accounts.device SET last_seen_at = now() - interval '{days} days', "
            f"created_at = now() - interval '200 days' WHERE {where}"
        )
    )


def test_a_citizen_changes_the_number_and_signs_in_by_it(world, helpers):
    old, new = helpers.new_phone(), helpers.new_phone()
    token = world.person(old)["access_token"]
    account = world.get("/me", token).json
    assert world.change_phone(new, token).status_code == 204
    assert world.get("/me", token).json == {**account, "phone": masked(new)}
    again = world.sign_in(new)["access_token"]
    assert world.get("/me", again).json["account_id"] == account["account_id"]
    stranger = world.sign_in(old)["access_token"]
    assert world.get("/me", stranger).json["account_id"] != account["account_id"]


def test_other_sign_ins_end_and_everybody_is_told(world, session, helpers):
    old = helpers.new_phone()
    elsewhere = world.sign_in(old)
    token = world.sign_in(old)["access_token"]
    account_id = world.get("/me", token).json["account_id"]
    world.change_phone(helpers.new_phone(), token)
    assert world.get("/me", elsewhere["access_token"]).status_code == 401
    assert world.refresh(elsewhere["refresh_token"]).status_code == 401
    assert world.get("/me", token).status_code == 200
    assert list(events(session, phones.CHANGED)) == [{"account_id": account_id}]
    acts = session.execute(text("SELECT action FROM audit.entry")).scalars().all()
    assert acts.count("accounts.phone_changed") == 1


def test_changing_to_the_number_in_use_changes_nothing(world, session, helpers):
    phone = helpers.new_phone()
    token = world.sign_in(phone)["access_token"]
    assert world.change_phone(phone, token).status_code == 204
    assert list(events(session, phones.CHANGED)) == []


def test_a_thief_with_the_sim_card_cannot_move_a_persons_number(world, helpers):
    phone = helpers.new_phone()
    world.person(phone)
    thief = world.sign_in(phone)["access_token"]
    for path, body in (
        ("/me/phone/code", {"phone": helpers.new_phone()}),
        ("/me/phone", {"challenge_id": str(new_id()), "code": "493027"}),
    ):
        answer = world.post(path, body, thief)
        assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
        assert answer.json["required_level"] == 2
        assert answer.json["actions"][0]["action"] == "prove_real_name"
    world.consent(thief)
    assert world.prove(thief).status_code == 200
    assert world.change_phone(helpers.new_phone(), thief).status_code == 204


def test_who_finds_an_unlocked_phone_cannot_move_its_owners_number(world, session, helpers):
    """The codes to step up come to the very phone; the document's number does not."""
    phone = helpers.new_phone()
    found = world.person(phone)["access_token"]
    session.execute(text("UPDATE accounts.device SET proven_at = now() - interval '6 minutes'"))
    assert world.get("/me", found).json["level"] == 2
    answer = world.change_phone(helpers.new_phone(), found)
    assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
    assert answer.json["actions"][0]["action"] == "prove_real_name"
    assert world.get("/me", found).json["phone"] == masked(phone)
    assert world.prove(found).status_code == 200
    assert world.change_phone(helpers.new_phone(), found).status_code == 204


def test_a_number_takes_two_accounts_and_no_third(world, helpers):
    full = helpers.new_phone()
    world.sign_in(full)
    mover = world.sign_in()["access_token"]
    assert world.change_phone(full, mover).status_code == 204
    third = world.sign_in()["access_token"]
    answer = world.change_phone(full, third)
    assert (answer.status_code, answer.json["code"]) == (409, "phone_full")
    assert "窗口" in answer.json["detail"]


def test_whoever_asks_at_once_two_accounts_move_to_a_number(fresh_database, race, helpers):
    target = helpers.new_phone()
    movers = []
    for _ in range(6):
        known = sign_in(helpers.new_phone())
        movers.append((known, new_phone_proof(target, known)))

    def move(number):
        (account_id, sign_in_id), proven = movers[number]
        with db.transaction() as session:
            phones.change_phone(
                session, account_id=account_id, sign_in_id=sign_in_id, proven=proven
            )

    results = race(6, move)
    assert results.count(None) == 2
    assert {type(result) for result in results} == {type(None), PhoneFull}


def sign_in(phone):
    with db.transaction() as session:
        challenge = otp.request_code(session, phone=phone, code="493027", language="zh")
        proven = ProvenPhone(challenge_id=challenge.challenge_id, phone="+86" + phone)
        assert isinstance(citizens.sign_in(session, proven=proven, wish=Wish()), Issued)
        return tuple(
            session.execute(
                text("SELECT account_id, id FROM accounts.sign_in ORDER BY id DESC LIMIT 1")
            ).one()
        )


def new_phone_proof(phone, known):
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
        device_id = session.scalar(
            text("SELECT device_id FROM accounts.sign_in WHERE id = :id"), {"id": known[1]}
        )
        asked = {"purpose": "new_phone", "device": device_id}
        challenge = otp.request_code(session, phone=phone, code="493027", language="zh", **asked)
    with db.statement() as connection:
        return otp_tries.try_code(
            connection, challenge_id=challenge.challenge_id, code="493027", **asked
        )


def test_many_devices_send_one_number_no_more_than_ten_codes(session, world):
    """Each device has a day of its own; the number that is texted has only one."""
    devices = [world.sign_in()["device"]["id"] for _ in range(3)]
    now = clock.now().replace(hour=2)
    delivered = 0
    for turn in range(18):
        now += timedelta(minutes=1)
        asked = {"purpose": "new_phone", "device": UUID(devices[turn % 3]), "now": now}
        with suppress(TooMany), session.begin_nested():
            otp.request_code(session, phone="13800138000", code="493027", language="zh", **asked)
            delivered += 1
    assert delivered == 10


def test_an_account_texts_ten_strangers_numbers_a_day_from_however_many_devices(
    session, world, helpers
):
    phone = helpers.new_phone()
    devices = [world.sign_in(phone)["device"]["id"] for _ in range(3)]
    now = clock.now().replace(hour=2)
    delivered = 0
    for turn in range(18):
        now += timedelta(minutes=1)
        asked = {"purpose": "new_phone", "device": UUID(devices[turn % 3]), "now": now}
        with suppress(TooMany), session.begin_nested():
            otp.request_code(
                session, phone=helpers.new_phone(), code="493027", language="zh", **asked
            )
            delivered += 1
    assert delivered == 10
    # Signing in is another matter: that day is the device's own.
    asked = {"purpose": "step_up", "device": UUID(devices[0]), "now": now}
    assert otp.request_code(session, phone=phone, code="493027", language="zh", **asked)


def test_the_next_holder_of_a_full_number_gets_an_account(world, session, helpers):
    phone = helpers.new_phone()
    gone = world.person(phone)
    stays = world.sign_in(phone, new_account=True)
    gone_id = world.get("/me", gone["access_token"]).json["account_id"]
    months_pass(session, f"id = '{gone['device']['id']}'")
    challenge, code = world.code(phone)
    taken = world.try_code(challenge, code, new_account=True)
    assert taken.status_code == 200
    assert world.get("/me", taken.json["access_token"]).json["account_id"] != gone_id
    assert world.get("/me", gone["access_token"]).status_code == 401
    assert world.refresh(gone["refresh_token"]).status_code == 401
    assert world.get("/me", stays["access_token"]).json["phone"] == masked(phone)
    assert list(events(session, phones.GIVEN_UP)) == [{"account_id": gone_id}]
    acts = session.execute(text("SELECT action FROM audit.entry")).scalars().all()
    assert acts.count("accounts.phone_given_up") == 1
    asked = world.try_code(*world.code(phone))
    ids = {choice["id"] for choice in asked.json["accounts"]}
    assert len(ids) == 2
    assert gone_id not in ids


@pytest.mark.parametrize(("days", "status"), [(89, 409), (91, 200)])
def test_an_account_gives_its_number_up_after_ninety_days_only(
    world, session, helpers, days, status
):
    phone = helpers.new_phone()
    world.sign_in(phone)
    world.sign_in(phone, new_account=True)
    months_pass(session, days=days)
    challenge, code = world.code(phone)
    assert world.try_code(challenge, code, new_account=True).status_code == status


def test_one_device_seen_lately_keeps_the_number(world, session, helpers):
    phone = helpers.new_phone()
    old = world.sign_in(phone)
    account_id = world.get("/me", old["access_token"]).json["account_id"]
    world.sign_in(phone, account_id=account_id)
    world.sign_in(phone, new_account=True)
    months_pass(session, f"id = '{old['device']['id']}'")
    challenge, code = world.code(phone)
    assert world.try_code(challenge, code, new_account=True).json["code"] == "phone_full"


def test_a_number_with_one_idle_account_takes_nothing_from_it(world, session, helpers):
    phone = helpers.new_phone()
    world.sign_in(phone)
    months_pass(session)
    world.sign_in(phone, new_account=True)
    held = session.scalar(
        text("SELECT count(*) FROM accounts.account WHERE phone_index IS NOT NULL")
    )
    assert held == 2


def test_a_detached_persons_document_is_in_use_whoever_asks(world, session, helpers):
    """Nobody moves onto a person by knowing the document: the counter compares faces."""
    phone = helpers.new_phone()
    world.person(phone)
    world.sign_in(phone, new_account=True)
    holder = world.person(document_number="110101199003077176")
    session.execute(
        text(
            "UPDATE accounts.device SET last_seen_at = now() - interval '100 days' "
            "WHERE account_id IN (SELECT id FROM accounts.account WHERE person_id IS NOT NULL)"
        )
    )
    world.sign_in(phone, new_account=True)
    again = world.sign_in()["access_token"]
    world.consent(again)
    answers = [
        world.prove(again),
        world.prove(again, document_number="110101199003077176"),
    ]
    assert {answer.status_code for answer in answers} == {409}
    assert {answer.json["code"] for answer in answers} == {"document_in_use"}
    bodies = [{**answer.json, "trace_id": ""} for answer in answers]
    assert bodies[0] == bodies[1]
    assert holder
