"""Another name for the same person: asked from home or at a counter, decided by another."""

from datetime import datetime, timedelta

import people
import pytest
from counter_world import EVIDENCE, NEW_NAME, Hall, acts, inbox, looks, texts
from sqlalchemy import text

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import name_place


def name_of(session, person):
    sealed = session.scalar(
        text("SELECT name_sealed FROM accounts.person WHERE id = :id"), {"id": person.person_id}
    )
    return crypto.current().open(sealed, place=name_place(person.person_id))


def ask(hall, person, name=NEW_NAME, **headers):
    body = {"name": name, "evidence_reference": EVIDENCE}
    return hall.post("/me/name-corrections", body, person, **headers)


def stale(session, person):
    session.execute(
        text(
            "UPDATE accounts.sign_in SET proved_at = proved_at - interval '6 minutes' "
            "WHERE account_id = :a"
        ),
        {"a": person.account_id},
    )


def test_a_citizen_asks_and_one_member_of_staff_is_the_second_person(hall, session, told):
    person = people.citizen()
    asked = ask(hall, person)
    assert (asked.status_code, asked.json["status"]) == (202, "open")
    opened, ends = (
        datetime.fromisoformat(asked.json[name]) for name in ("opened_at", "expires_at")
    )
    assert ends - opened == timedelta(days=7)
    answer = hall.decide(asked.json["id"])
    assert (answer.status_code, answer.json["status"]) == (200, "approved")
    assert answer.json["organisation_id"] == str(hall.id)
    assert name_of(session, person) == NEW_NAME
    assert told.asked == [
        {"document_type": "resident_id", "number": person.document_number, "name": NEW_NAME}
    ]
    assert hall.get("/me", person).json["name"] == "王*明"


def test_the_person_stays_who_they_are(hall, session):
    person = people.citizen()
    offer = people.offer()
    booking = people.booking(person, offer)
    before = session.execute(
        text("SELECT person_key, document_index FROM accounts.person WHERE id = :id"),
        {"id": person.person_id},
    ).one()
    hall.decide(ask(hall, person).json["id"])
    after = session.execute(
        text("SELECT person_key, document_index FROM accounts.person WHERE id = :id"),
        {"id": person.person_id},
    ).one()
    assert after == before
    assert hall.get(f"/bookings/{booking}", person).status_code == 200
    # The old name proves nothing any more on a further device, the new one does.
    found = hall.open("recovery", person.document_number, **hall.code(people.new_phone()))
    assert found.status_code == 404
    session.execute(text("UPDATE accounts.otp_day SET last_sent_at = '2000-01-01'"))
    proof = hall.code(people.new_phone())
    assert hall.open("recovery", person.document_number, NEW_NAME, **proof).status_code == 201


def test_what_the_verifier_denies_is_not_written(hall, session, told):
    person = people.citizen()
    case = ask(hall, person).json
    told.answer = False
    answer = hall.decide(case["id"])
    assert (answer.status_code, answer.json["code"]) == (422, "real_name_mismatch")
    assert name_of(session, person) == "王小明"
    assert hall.case(case["id"]).json["status"] == "open"


def test_a_refusal_asks_no_verifier(hall, told, session):
    person = people.citizen()
    case = ask(hall, person).json
    assert hall.decide(case["id"], approved=False).status_code == 200
    assert told.asked == []
    assert inbox(session, person) == ["counter.opened", "counter.refused"]


def test_nobody_is_verified_by_who_may_not_decide(hall, told):
    person = people.citizen()
    case = hall.open("name_correction", person.document_number, new_name=NEW_NAME).json
    assert hall.decide(case["id"], by=hall.opener).json["code"] == "second_person_required"
    assert told.asked == []


def test_a_clerk_opens_a_correction_and_another_decides(hall, session):
    person = people.citizen()
    case = hall.open("name_correction", person.document_number, new_name=NEW_NAME)
    assert case.status_code == 201
    assert case.headers["Location"] == f"/api/v1/counter/cases/{case.json['id']}"
    assert hall.decide(case.json["id"], by=hall.opener).status_code == 403
    assert hall.decide(case.json["id"]).status_code == 200
    assert name_of(session, person) == NEW_NAME
    assert acts(session) == [
        "counter.case_opened",
        "accounts.name_corrected",
        "counter.case_approved",
    ]
    assert ("counter.name_correction", "changed", "case", ["name"]) in looks(
        session, person.person_id
    )
    assert [kind for _, kind in texts(session)] == ["counter.opened", "counter.approved"]


def test_an_old_sign_in_must_step_up_first(hall, session):
    person = people.citizen()
    stale(session, person)
    answer = ask(hall, person)
    assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
    assert answer.json["max_age_s"] == 300


def test_a_phone_alone_asks_for_no_name(hall):
    answer = ask(hall, people.citizen(1))
    assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")


@pytest.mark.parametrize("by_clerk", [False, True])
def test_the_present_name_and_a_name_nobody_has_are_refused(hall, by_clerk):
    person = people.citizen()

    def asked(name):
        if not by_clerk:
            return ask(hall, person, name)
        return hall.open("name_correction", person.document_number, new_name=name)

    pointer = "/new_name" if by_clerk else "/name"
    for name, code in (("王小明", "name_unchanged"), ("王小明а", "name_invalid")):
        answer = asked(name)
        assert (answer.status_code, answer.json["code"]) == (422, code)
        assert answer.json["errors"][0]["pointer"] == pointer
        assert name not in answer.text


def test_a_wish_belongs_to_no_counter_until_one_decides_it(hall):
    other = Hall(hall.client)
    case = ask(hall, people.citizen()).json
    assert other.case(case["id"]).status_code == 200
    assert hall.case(case["id"]).json["organisation_id"] is None
    # A wish is decided with a reason, not dropped.
    assert hall.cancel(case["id"]).status_code == 403
    assert hall.decide(case["id"], approved=False).status_code == 200
    assert hall.case(case["id"]).status_code == 200
    assert other.case(case["id"]).status_code == 404


def test_the_decider_reads_the_new_name_and_nobody_does_afterwards(hall):
    case = ask(hall, people.citizen()).json
    seen = hall.case(case["id"]).json
    assert (seen["new_name"], seen["person"]["name"]) == (NEW_NAME, "王*明")
    assert seen["evidence_reference"] == EVIDENCE
    hall.decide(case["id"], approved=False)
    assert hall.case(case["id"]).json["new_name"] == "王*明"


def test_a_citizen_sees_the_own_wishes_only(hall):
    person, other = people.citizen(), people.citizen()
    case = ask(hall, person).json
    assert [item["id"] for item in hall.get("/me/name-corrections", person).json["items"]] == [
        case["id"]
    ]
    assert hall.get("/me/name-corrections", other).json["items"] == []


def test_a_repeated_wish_is_one(hall):
    person = people.citizen()
    key = {"Idempotency-Key": "one-wish"}
    assert ask(hall, person, **key).json == ask(hall, person, **key).json
    again = ask(hall, person)
    assert (again.status_code, again.json["code"]) == (409, "case_open")


def withdraw(hall, case_id, someone):
    return hall.post(f"/me/name-corrections/{case_id}/withdrawal", {}, someone)


def test_a_citizen_takes_the_own_wish_back_and_may_ask_again(hall, session):
    person, other = people.citizen(), people.citizen()
    case = ask(hall, person).json["id"]
    assert withdraw(hall, case, other).status_code == 404
    for _ in range(2):
        assert withdraw(hall, case, person).json["status"] == "cancelled"
    answer = hall.decide(case)
    assert answer.status_code in (404, 409)
    again = ask(hall, person)
    assert again.status_code == 202
    hall.decide(again.json["id"], approved=False)
    late = withdraw(hall, again.json["id"], person)
    assert (late.status_code, late.json["code"]) == (409, "case_over")
    assert "counter.case_withdrawn" in acts(session)


def test_a_clerks_case_is_not_the_persons_to_withdraw(hall):
    person = people.citizen()
    case = hall.open("name_correction", person.document_number, new_name=NEW_NAME).json["id"]
    assert withdraw(hall, case, person).status_code == 404


def test_the_wish_of_a_suspended_account_is_not_approved(hall, session):
    person = people.citizen()
    case = ask(hall, person).json["id"]
    session.execute(
        text("UPDATE accounts.account SET status = 'suspended' WHERE id = :a"),
        {"a": person.account_id},
    )
    answer = hall.decide(case)
    assert (answer.status_code, answer.json["code"]) == (409, "account_not_living")
