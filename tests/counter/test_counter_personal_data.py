"""A person's own cases: given whole, and forgotten whole."""

import people
from counter_world import EVIDENCE, NEW_NAME
from sqlalchemy import text

from citizen_cloud import clock
from citizen_cloud.counter.personal_data import erase, export
from citizen_cloud.manifest import Subject

NAME = "李桂兰"


def subject(person):
    return Subject(account_id=person.account_id, person_id=person.person_id)


def rows(session, where="true"):
    return session.scalar(text(f"SELECT count(*) FROM counter.case WHERE {where}"))


def three_cases(hall, person):
    hall.recovery(person, "+8613900139000")
    case = hall.post(
        "/me/name-corrections", {"name": NEW_NAME, "evidence_reference": EVIDENCE}, person
    ).json
    hall.decide(case["id"])
    hall.open("enrolment", person.document_number, NEW_NAME)


def test_the_export_holds_every_case_about_a_person(hall, session):
    person = people.citizen()
    three_cases(hall, person)
    hall.recovery(people.citizen())
    given = export(session, subject(person))["cases"]
    assert len(given) == 3 == rows(session, f"person_id = '{person.person_id}'")
    by_kind = {case["kind"]: case for case in given}
    assert by_kind["recovery"]["asked"] == {"phone": "+8613900139000"}
    assert by_kind["name_correction"]["asked"] == {"new_name": NEW_NAME, "old_name": "王小明"}
    assert by_kind["name_correction"]["reason"] == "证件与本人一致"
    assert by_kind["enrolment"]["asked"]["document_number"] == person.document_number
    assert all(case["evidence"] == EVIDENCE for case in given)


def test_an_account_or_a_person_alone_names_the_same_cases(hall, session):
    person = people.citizen()
    three_cases(hall, person)
    whole = export(session, subject(person))["cases"]
    assert export(session, Subject(account_id=person.account_id))["cases"] == whole
    assert export(session, Subject(person_id=person.person_id))["cases"] == whole


def test_staff_get_what_they_did_and_nothing_of_whom(hall, session):
    person = people.citizen()
    case = hall.recovery(person).json
    hall.decide(case["id"])
    for someone, did in ((hall.opener, "opened"), (hall.decider, "decided")):
        given = export(session, subject(someone))
        assert given["cases"] == []
        (handled,) = given["cases_handled"]
        assert (str(handled["id"]), handled[did]) == (case["id"], True)
        assert person.document_number not in str(given)


def test_erasure_leaves_two_peoples_decision_about_nobody(hall, session):
    person, other = people.citizen(), people.citizen()
    three_cases(hall, person)
    hall.recovery(other)
    # Three cases, and the spent code that proved the new phone.
    assert erase(session, subject(person), clock.now()) == 4
    assert erase(session, subject(person), clock.now()) == 0
    assert export(session, Subject(person_id=person.person_id))["cases"] == []
    assert rows(session) == 4
    blank = "num_nonnulls(person_id, asked_sealed, evidence_sealed, reason_sealed) = 0"
    assert rows(session, blank) == 3
    # Nothing is left to approve.
    assert rows(session, f"status = 'open' AND person_id = '{other.person_id}'") == 1
    assert rows(session, "status = 'open'") == 1


def test_erasing_a_clerk_takes_nobodys_case_away(hall, session):
    person = people.citizen()
    hall.recovery(person)
    assert erase(session, subject(hall.opener), clock.now()) == 0
    assert len(export(session, subject(person))["cases"]) == 1


def test_an_enrolled_person_without_an_account_is_forgotten_too(hall, session):
    case = hall.open("enrolment", people.document(), NAME).json
    person_id = hall.decide(case["id"]).json["person_id"]
    assert len(export(session, Subject(person_id=person_id))["cases"]) == 1
    assert erase(session, Subject(person_id=person_id), clock.now()) == 1
