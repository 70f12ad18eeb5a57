"""A lost phone: two staff, a proven new phone, and everything old ends in one moment."""

import people
import pytest
from counter_world import CODE, acts, inbox, looks, sent_code, texts
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.accounts.identity import phone_place
from citizen_cloud.federation.rules import TITLES
from citizen_cloud.federation.services import identities
from citizen_cloud.federation.services.attempts import Owed


def phone_of(session, someone):
    sealed = session.scalar(
        text("SELECT phone_sealed FROM accounts.account WHERE id = :id"), {"id": someone.account_id}
    )
    return crypto.current().open(sealed, place=phone_place(someone.account_id))


def recovered(hall, person, phone):
    case = hall.recovery(person, phone)
    assert case.status_code == 201, case.json
    answer = hall.decide(case.json["id"])
    assert answer.status_code == 200, answer.json
    return answer.json


def sign_in(hall, phone):
    with db.transaction() as session:
        session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
    asked = hall.client.post("/api/v1/auth/otp", json={"phone": phone})
    with db.transaction() as session:
        code = sent_code(session, asked.json["challenge_id"])
    proof = {"challenge_id": asked.json["challenge_id"], "code": code}
    return hall.client.post("/api/v1/auth/token", json={"grant_type": "otp", **proof})


def test_an_approved_recovery_moves_the_account_to_the_new_phone(hall, session):
    person, phone = people.citizen(), people.new_phone()
    answer = recovered(hall, person, phone)
    assert (answer["status"], answer["person_id"]) == ("approved", str(person.person_id))
    assert answer["decided_by"] == str(hall.decider.account_id)
    assert phone_of(session, person) == phone


def test_whoever_held_the_old_phone_or_device_is_out_at_once(hall, session):
    person = people.citizen(phone="+8613900001111")
    assert hall.get("/me", person).status_code == 200
    recovered(hall, person, people.new_phone())
    assert hall.get("/me", person).status_code == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": person.refresh_token}
    assert hall.client.post("/api/v1/auth/token", json=refresh).status_code == 401
    left = session.execute(
        text(
            "SELECT count(*) FILTER (WHERE removed_at IS NULL) FROM accounts.device "
            "WHERE account_id = :a"
        ),
        {"a": person.account_id},
    ).scalar_one()
    assert left == 0
    reasons = session.scalars(
        text("SELECT revoked_because FROM accounts.sign_in WHERE account_id = :a"),
        {"a": person.account_id},
    )
    assert set(reasons) == {"recovered"}
    fresh = sign_in(hall, "+8613900001111").json
    me = hall.client.get(
        "/api/v1/me", headers={"Authorization": f"Bearer {fresh['access_token']}"}
    ).json
    assert me["account_id"] != str(person.account_id)


def test_the_new_device_shows_nothing_until_the_document_was_shown_on_it(hall, session):
    person, phone = people.citizen(), people.new_phone()
    recovered(hall, person, phone)
    tokens = sign_in(hall, phone).json
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = hall.client.get("/api/v1/me", headers=bearer).json
    assert me["account_id"] == str(person.account_id)
    assert (me["level"], me["real_name"], me["name"]) == (1, "unconfirmed", None)
    hall.client.post(
        "/api/v1/me/consents", json={"purpose": "real_name", "version": 1}, headers=bearer
    )
    document = {
        "document_type": "resident_id",
        "document_number": person.document_number,
        "name": "王小明",
    }
    proven = hall.client.post("/api/v1/me/real-name", json=document, headers=bearer)
    assert (proven.status_code, proven.json["level"]) == (200, 3)
    # Staff saw the document in person.
    assert hall.client.get("/api/v1/me", headers=bearer).json["level"] == 3


def test_nothing_changes_before_the_second_person(hall, session):
    person = people.citizen(phone="+8613900002222")
    assert hall.recovery(person).status_code == 201
    assert phone_of(session, person) == "+8613900002222"
    assert hall.get("/me", person).status_code == 200


def test_the_old_phone_and_the_inbox_learn_of_every_step(hall, session):
    person = people.citizen(phone="+8613900003333")
    recovered(hall, person, people.new_phone())
    told = [kind for phone, kind in texts(session) if phone == "+8613900003333"]
    assert told == ["counter.opened", "counter.approved"]
    assert inbox(session, person) == ["counter.opened", "counter.approved"]
    assert looks(session, person.person_id) == [
        ("counter.recovery", "read", "case", ["name", "document"]),
        ("counter.recovery", "changed", "case", ["phone"]),
    ]
    assert acts(session) == ["counter.case_opened", "accounts.recovered", "counter.case_approved"]
    event = session.execute(
        text("SELECT payload FROM jobs.outbox WHERE event = 'accounts.recovered'")
    ).scalar_one()
    assert event["account_id"] == str(person.account_id)


def test_a_refusal_changes_nothing_and_is_told(hall, session):
    person = people.citizen(phone="+8613900004444")
    case = hall.recovery(person).json
    answer = hall.decide(case["id"], approved=False, reason="照片与本人不符").json
    assert (answer["status"], answer["person_id"]) == ("refused", None)
    assert phone_of(session, person) == "+8613900004444"
    assert inbox(session, person) == ["counter.opened", "counter.refused"]
    assert hall.case(case["id"]).json["reason"] == "照片与本人不符"


def test_who_opened_a_case_never_decides_it(hall, session):
    person = people.citizen()
    case = hall.recovery(person).json
    for approved in (True, False):
        answer = hall.decide(case["id"], by=hall.opener, approved=approved)
        assert (answer.status_code, answer.json["code"]) == (403, "second_person_required")
    assert hall.case(case["id"]).json["status"] == "open"


def test_the_table_itself_refuses_one_person_alone(hall, session):
    case = hall.recovery(people.citizen()).json
    lonely = text(
        "UPDATE counter.case SET status = 'approved', decided_by = opened_by, "
        "decided_at = statement_timestamp() WHERE id = :id"
    )
    with pytest.raises(Exception, match="ck_case_second_person"), session.begin_nested():
        session.execute(lonely, {"id": case["id"]})


def test_a_wrong_code_opens_nothing_and_costs_a_try(hall, session):
    person = people.citizen()
    proof = hall.code(people.new_phone())
    proof["code"] = CODE if proof["code"] != CODE else "493028"
    answer = hall.open("recovery", person.document_number, **proof)
    assert (answer.status_code, answer.json["code"]) == (401, "otp_invalid")
    assert session.scalar(text("SELECT tries FROM accounts.otp_challenge")) == 1
    assert session.scalar(text("SELECT count(*) FROM counter.case")) == 0


def test_a_code_serves_one_case(hall, session):
    one, other = people.citizen(), people.citizen()
    proof = hall.code(people.new_phone())
    assert hall.open("recovery", one.document_number, **proof).status_code == 201
    again = hall.open("recovery", other.document_number, **proof)
    assert (again.status_code, again.json["code"]) == (401, "otp_invalid")


def test_a_repeated_request_is_answered_once_though_its_code_is_spent(hall, session):
    person = people.citizen()
    proof = hall.code(people.new_phone())
    key = {"Idempotency-Key": "one-and-the-same"}
    first = hall.open("recovery", person.document_number, headers=key, **proof)
    again = hall.open("recovery", person.document_number, headers=key, **proof)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"


def test_an_unknown_document_and_a_wrong_name_look_the_same(hall, session):
    person = people.citizen(name="王小明")
    answers = [
        hall.open("recovery", people.document(), **hall.code(people.new_phone())),
        hall.open("recovery", person.document_number, "李四光", **hall.code(people.new_phone())),
    ]
    bodies = [
        {k: v for k, v in answer.json.items() if k not in ("trace_id", "instance")}
        for answer in answers
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert bodies[0] == bodies[1]
    assert {name for name, _ in answers[0].headers} == {name for name, _ in answers[1].headers}
    # The holder sees that somebody tried; the code is not used up.
    assert looks(session, person.person_id) == [
        ("counter.recovery", "refused", "none", ["name", "document"])
    ]
    assert session.scalar(text("SELECT sum(tries) FROM accounts.otp_challenge")) == 0


def test_without_a_living_account_there_is_nothing_to_recover(hall, session):
    for status, reason in (("closed", "none"), ("suspended", "suspended")):
        person = people.citizen()
        session.execute(
            text("UPDATE accounts.account SET status = :s WHERE id = :id"),
            {"s": status, "id": person.account_id},
        )
        answer = hall.recovery(person)
        assert (answer.status_code, answer.json["code"]) == (409, "account_not_living")
        assert answer.json["reason"] == reason
        assert looks(session, person.person_id) == [
            ("counter.recovery", "refused", "none", ["name", "document"])
        ]
    # Nothing was tried: the code still serves another case.
    assert session.scalar(text("SELECT sum(tries) FROM accounts.otp_challenge")) == 0


def test_an_account_suspended_meanwhile_is_not_recovered(hall, session):
    person = people.citizen(phone="+8613900005555")
    case = hall.recovery(person).json
    session.execute(
        text("UPDATE accounts.account SET status = 'suspended' WHERE id = :id"),
        {"id": person.account_id},
    )
    answer = hall.decide(case["id"])
    assert (answer.status_code, answer.json["code"]) == (409, "account_not_living")
    assert hall.case(case["id"]).json["status"] == "open"
    assert phone_of(session, person) == "+8613900005555"


def test_a_phone_serves_two_accounts_at_most(hall, session):
    phone = people.new_phone()
    people.citizen(phone=phone)
    person = people.citizen()
    case = hall.recovery(person, phone)
    assert case.status_code == 201
    people.citizen(phone=phone)
    late = hall.decide(case.json["id"])
    assert (late.status_code, late.json["code"]) == (409, "phone_full")
    session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
    early = hall.recovery(people.citizen(), phone)
    assert (early.status_code, early.json["code"]) == (409, "phone_full")


def test_an_account_on_a_full_phone_recovers_to_that_very_phone(hall, session):
    phone = people.new_phone()
    person = people.citizen(phone=phone)
    people.citizen(phone=phone)
    assert recovered(hall, person, phone)["status"] == "approved"


def test_an_account_that_gave_its_phone_up_is_recovered(hall, session):
    person, phone = people.citizen(), people.new_phone()
    session.execute(
        text("UPDATE accounts.account SET phone_sealed = NULL, phone_index = NULL WHERE id = :id"),
        {"id": person.account_id},
    )
    recovered(hall, person, phone)
    assert phone_of(session, person) == phone


def test_a_code_of_the_counter_signs_nobody_in_and_one_of_a_sign_in_opens_no_case(hall, session):
    person, phone = people.citizen(), people.new_phone()
    read_out = hall.code(phone)
    grant = {"grant_type": "otp", **read_out}
    signed_in = hall.client.post("/api/v1/auth/token", json=grant)
    assert (signed_in.status_code, signed_in.json["code"]) == (401, "otp_invalid")
    session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
    asked = hall.client.post("/api/v1/auth/otp", json={"phone": phone}).json["challenge_id"]
    of_sign_in = {"challenge_id": asked, "code": sent_code(session, asked)}
    case = hall.open("recovery", person.document_number, **of_sign_in)
    assert (case.status_code, case.json["code"]) == (401, "otp_invalid")
    # Each still serves what it was sent for.
    assert hall.open("recovery", person.document_number, **read_out).status_code == 201
    grant = {"grant_type": "otp", **of_sign_in}
    assert hall.client.post("/api/v1/auth/token", json=grant).status_code == 200


def test_a_counters_code_says_when_texts_are_paused(hall):
    document = hall.client.get("/openapi.json").json
    operation = document["paths"]["/api/v1/counter/codes"]["post"]
    assert "`sms_paused`" in operation["responses"]["503"]["description"]


def linked(account_id, provider="wechat"):
    """Let an identity elsewhere open an account, and sign in through it; return its subject."""
    owed = Owed(provider=provider, subject=f"u-{account_id}")
    with db.transaction() as session:
        identities.link(
            session, owed=owed, account_id=account_id, title=TITLES[provider], now=clock.now()
        )
    return owed


def test_no_identity_elsewhere_opens_a_recovered_account(hall, session):
    person, other = people.citizen(), people.citizen()
    owed, kept = linked(person.account_id), linked(other.account_id)
    recovered(hall, person, people.new_phone())
    assert identities.use(session, owed=owed) is None
    assert identities.use(session, owed=kept).account_id == other.account_id
    left = session.execute(
        text(
            "SELECT subject_index, subject_sealed FROM federation.identity "
            "WHERE account_id = :a AND removed_at IS NOT NULL"
        ),
        {"a": person.account_id},
    ).one()
    assert tuple(left) == (None, None)
    assert "federation.removed" in inbox(session, person)


def test_a_refused_recovery_leaves_identities_alone(hall, session):
    person = people.citizen()
    owed = linked(person.account_id)
    hall.decide(hall.recovery(person).json["id"], approved=False)
    assert identities.use(session, owed=owed).account_id == person.account_id


def test_a_second_case_about_the_same_person_waits_for_the_first(hall, session):
    person = people.citizen()
    first = hall.recovery(person).json
    again = hall.recovery(person)
    assert (again.status_code, again.json["code"]) == (409, "case_open")
    hall.cancel(first["id"])
    assert hall.recovery(person).status_code == 201
