"""Somebody without a phone becomes a person, so that family can act for them."""

import people
from counter_world import inbox
from sqlalchemy import text

from citizen_cloud import clock
from citizen_cloud.counter import jobs

NAME = "李桂兰"


def person_row(session, person_id):
    return session.execute(
        text("SELECT level, verified_by, document_index FROM accounts.person WHERE id = :id"),
        {"id": person_id},
    ).one()


def enrolled(hall, number, name=NAME):
    case = hall.open("enrolment", number, name)
    assert case.status_code == 201, case.json
    assert case.json["person_id"] is None
    answer = hall.decide(case.json["id"])
    assert answer.status_code == 200, answer.json
    return answer.json["person_id"]


def test_an_elder_without_a_phone_becomes_a_person_of_level_three(hall, session, told):
    number = people.document("19400506")
    person_id = enrolled(hall, number)
    row = person_row(session, person_id)
    assert (row.level, row.verified_by) == (3, "told")
    assert told.asked == [{"document_type": "resident_id", "number": number, "name": NAME}]
    accounts = session.scalar(
        text("SELECT count(*) FROM accounts.account WHERE person_id = :id"), {"id": person_id}
    )
    assert accounts == 0


def test_nobody_is_enrolled_before_the_second_person(hall, session):
    hall.open("enrolment", people.document(), NAME)
    assert session.scalar(text("SELECT count(*) FROM accounts.person")) == 0


def test_the_same_document_is_the_same_person_however_often(hall, session):
    number = people.document()
    assert enrolled(hall, number) == enrolled(hall, number)
    assert session.scalar(text("SELECT count(*) FROM accounts.person")) == 1


def test_an_enrolment_tells_no_clerk_whether_the_document_is_known(hall):
    """The same answers for a stranger and for somebody with an account, twice over."""
    known = people.citizen(name=NAME)
    shapes = []
    for number in (people.document(), known.document_number):
        for _ in range(2):
            answer = hall.open("enrolment", number, NAME)
            seen = hall.case(answer.json["id"]).json
            body = {k: v for k, v in seen.items() if k not in ("id", "opened_at", "expires_at")}
            body["person"]["document_end"] = ""
            shapes.append((answer.status_code, body))
    assert all(shape == shapes[0] for shape in shapes)


def test_who_has_an_account_keeps_it_rises_to_level_three_and_is_told(hall, session):
    known = people.citizen(name=NAME)
    assert enrolled(hall, known.document_number) == str(known.person_id)
    assert hall.get("/me", known).json["level"] == 3
    assert inbox(session, known) == ["counter.opened", "counter.approved"]


def test_a_document_known_by_another_name_is_not_enrolled_anew(hall, session):
    known = people.citizen(name="王小明")
    case = hall.open("enrolment", known.document_number, NAME).json
    answer = hall.decide(case["id"])
    assert (answer.status_code, answer.json["code"]) == (422, "real_name_mismatch")
    assert person_row(session, known.person_id).level == 2


def test_what_the_verifier_denies_is_no_case(hall, told, session):
    told.answer = False
    answer = hall.open("enrolment", people.document(), NAME)
    assert (answer.status_code, answer.json["code"]) == (422, "real_name_mismatch")
    assert session.scalar(text("SELECT count(*) FROM counter.case")) == 0


def test_a_bad_document_is_named_and_never_repeated(hall):
    answer = hall.open("enrolment", "36042619910102009X", NAME)
    assert (answer.status_code, answer.json["part"]) == (422, "check_digit")
    assert "36042619910102009X" not in answer.text


def test_an_enrolled_person_signs_in_later_as_the_same_person(hall, session):
    number = people.document()
    person_id = enrolled(hall, number)
    citizen = people.citizen(number=number, name=NAME)
    assert str(citizen.person_id) == person_id
    # Whoever signs in by a phone later need not be who was seen here.
    assert hall.get("/me", citizen).json["level"] == 2


def test_a_document_nobody_was_enrolled_by_is_not_kept(hall, session):
    """No later erasure would find what belongs to no person."""
    cases = [hall.open("enrolment", people.document(), NAME).json["id"] for _ in range(3)]
    refused, cancelled, expired = cases
    hall.decide(refused, approved=False)
    hall.cancel(cancelled)
    session.execute(
        text(
            "UPDATE counter.case SET opened_at = opened_at - interval '25 hours', "
            "expires_at = expires_at - interval '25 hours' WHERE id = :id"
        ),
        {"id": expired},
    )
    jobs.expire_cases(clock.now())
    for case_id in cases:
        assert hall.case(case_id).json["person"] is None
    assert session.scalar(text("SELECT count(asked_sealed) FROM counter.case")) == 0
