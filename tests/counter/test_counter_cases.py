"""Who sees, lists and ends cases; what is written down, sealed, and forgotten."""

from datetime import timedelta

import people
import pytest
from counter_world import (
    EVIDENCE,
    NEW_NAME,
    Hall,
    acts,
    clerk,
    employ,
    enrolment_case,
    inbox,
    looks,
    name_case,
    reach,
    recovery_case,
)
from sqlalchemy import text

from citizen_cloud import clock, crypto
from citizen_cloud.counter import jobs
from citizen_cloud.counter.contribution import contribution
from citizen_cloud.counter.refusals import CaseOpen, CaseOver
from citizen_cloud.counter.services import deciding, ending
from citizen_cloud.counter.services.deciding import Verdict
from citizen_cloud.web.marks import access_of

CLERKS = "/api/v1/counter"
DOORS = (CLERKS, "/api/v1/me/name-corrections")


def listed(hall, someone, query=""):
    return [item["id"] for item in hall.get(f"/counter/cases{query}", someone).json["items"]]


def expire(session, case_id):
    """Move a case's whole life a day back; what is due by the clock need not be waited for."""
    session.execute(
        text(
            "UPDATE counter.case SET opened_at = opened_at - interval '25 hours', "
            "expires_at = expires_at - interval '25 hours' WHERE id = :id"
        ),
        {"id": case_id},
    )


def test_a_case_shows_a_masked_name_and_the_end_of_the_number(hall, session):
    person = people.citizen(phone="+8613800138000")
    case = hall.recovery(person, "+8613900139000").json
    seen = hall.case(case["id"])
    assert seen.json["person"] == {
        "name": "王*明",
        "document_type": "resident_id",
        "document_end": person.document_number[-4:],
    }
    assert seen.json["new_phone"] == "139****9000"
    assert (seen.json["new_name"], seen.json["reason"]) == (None, None)
    assert person.document_number not in seen.text
    assert "王小明" not in seen.text
    assert seen.json["person_id"] is None


def test_the_person_sees_every_look(hall, session):
    person = people.citizen()
    case = hall.recovery(person).json
    hall.case(case["id"])
    hall.case(case["id"], by=people.auditor())
    assert (
        looks(session, person.person_id)
        == [("counter.recovery", "read", "case", ["name", "document"])] * 3
    )
    row = session.execute(
        text(
            "SELECT * FROM accounts.data_access WHERE person_id = :p ORDER BY id LIMIT 1 OFFSET 1"
        ),
        {"p": person.person_id},
    ).one()
    assert (row.reader_id, row.organisation_id) == (hall.decider.account_id, hall.id)
    assert str(row.basis_id) == case["id"]
    assert acts(session) == ["counter.case_opened", "counter.case_read", "counter.case_read"]


def test_a_list_tells_of_no_person(hall):
    person = people.citizen()
    case = hall.open("name_correction", person.document_number, new_name=NEW_NAME).json
    page = hall.get("/counter/cases", hall.decider)
    assert [item["id"] for item in page.json["items"]] == [case["id"]]
    for secret in ("王", NEW_NAME, person.document_number, str(person.person_id), EVIDENCE):
        assert secret not in page.text


def test_each_counter_sees_its_own_cases(hall):
    other = Hall(hall.client)
    mine = hall.open("enrolment", people.document(), "李桂兰").json["id"]
    theirs = other.open("enrolment", people.document(), "李桂兰").json["id"]
    assert listed(hall, hall.decider) == [mine]
    assert listed(other, other.decider) == [theirs]
    assert listed(hall, people.auditor())[:2] == [theirs, mine]
    for answer in (
        hall.case(theirs),
        hall.decide(theirs),
        hall.cancel(theirs),
        hall.decide(theirs, by=people.manager(hall.id)),
    ):
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_the_list_is_paged_and_found_by_status(hall):
    ids = [hall.open("enrolment", people.document(), "李桂兰").json["id"] for _ in range(3)]
    first = hall.get("/counter/cases?limit=2", hall.decider).json
    assert [item["id"] for item in first["items"]] == [ids[2], ids[1]]
    assert listed(hall, hall.decider, f"?limit=2&cursor={first['next_cursor']}") == [ids[0]]
    hall.decide(ids[1])
    assert listed(hall, hall.decider, "?status=approved") == [ids[1]]
    assert listed(hall, hall.decider, "?status=open") == [ids[2], ids[0]]


@pytest.mark.parametrize("role", ["staff", "manager"])
def test_a_pharmacy_is_no_counter(hall, role):
    """Whoever may recover accounts can take over anybody's: the fewer, the better."""
    someone = people.staff(people.pharmacy(), role)
    answer = hall.open("enrolment", people.document(), "李桂兰", by=someone)
    assert (answer.status_code, answer.json["code"]) == (403, "not_a_counter")
    phone = hall.post("/counter/codes", {"phone": people.new_phone()}, someone)
    assert phone.json["code"] == "not_a_counter"
    assert listed(hall, someone) == []


def test_a_closed_hall_decides_nothing(hall, session):
    case = hall.open("enrolment", people.document(), "李桂兰").json
    session.execute(
        text("UPDATE organisations.organisation SET status = 'closed' WHERE id = :id"),
        {"id": hall.id},
    )
    assert hall.decide(case["id"]).status_code == 404
    answer = hall.open("enrolment", people.document(), "李桂兰")
    assert answer.json["code"] == "not_a_counter"


def test_an_administrator_appoints_and_decides_nothing(hall):
    case = hall.open("enrolment", people.document(), "李桂兰").json
    admin = people.admin()
    assert hall.decide(case["id"], by=admin).status_code == 403
    assert hall.case(case["id"], by=admin).status_code == 403
    assert hall.open("enrolment", people.document(), "李桂兰", by=admin).status_code == 403


def test_who_works_at_two_counters_says_at_which(hall, session):
    other = Hall(hall.client)
    employ(hall.opener, other.id)
    vague = hall.open("enrolment", people.document(), "李桂兰")
    assert (vague.status_code, vague.json["errors"][0]["pointer"]) == (422, "/organisation_id")
    there = hall.open("enrolment", people.document(), "李桂兰", organisation_id=str(other.id))
    assert there.json["organisation_id"] == str(other.id)
    person = people.citizen()
    case = hall.recovery(person, organisation_id=str(hall.id)).json
    assert hall.case(case["id"], by=hall.opener).status_code == 200
    places = session.scalars(
        text("SELECT organisation_id FROM accounts.data_access WHERE person_id = :p"),
        {"p": person.person_id},
    )
    assert set(places) == {hall.id}
    elsewhere = hall.open(
        "enrolment", people.document(), "李桂兰", organisation_id=str(people.pharmacy())
    )
    assert elsewhere.json["code"] == "not_a_counter"


def test_a_cancelled_case_is_over(hall, session):
    person = people.citizen()
    case = hall.recovery(person).json
    assert hall.cancel(case["id"], by=hall.decider).json["status"] == "cancelled"
    assert hall.cancel(case["id"]).status_code == 200
    late = hall.decide(case["id"])
    assert (late.status_code, late.json["code"]) == (409, "case_over")
    assert late.json["case_status"] == "cancelled"
    assert inbox(session, person) == ["counter.opened", "counter.cancelled"]


def test_a_decided_case_is_decided(hall):
    case = hall.open("enrolment", people.document(), "李桂兰").json
    assert hall.decide(case["id"], approved=False).status_code == 200
    again = hall.decide(case["id"], by=people.staff(hall.id))
    assert (again.status_code, again.json["case_status"]) == (409, "refused")
    assert hall.cancel(case["id"]).json["code"] == "case_over"


def test_after_a_day_nobody_decides_it_any_more(hall, session):
    person = people.citizen()
    case = hall.recovery(person).json
    expire(session, case["id"])
    assert hall.case(case["id"]).json["status"] == "expired"
    assert listed(hall, hall.decider, "?status=open") == []
    assert hall.decide(case["id"]).json["case_status"] == "expired"
    assert jobs.expire_cases(clock.now()) == 1
    assert jobs.expire_cases(clock.now()) == 0
    assert inbox(session, person) == ["counter.opened", "counter.expired"]


def test_an_expired_case_does_not_stand_in_the_way_of_the_next(hall, session):
    person = people.citizen()
    case = hall.recovery(person).json
    expire(session, case["id"])
    assert hall.recovery(person).status_code == 201
    assert hall.case(case["id"]).json["status"] == "expired"


def test_the_clock_is_exact_at_the_end_of_a_case(session):
    hall = Hall(None)
    person, now = people.citizen(), clock.now()
    by = clerk(hall.opener, hall.id)
    case = recovery_case(session, person, by, people.new_phone(), now=now)
    said = {"verdict": Verdict(approved=False, reason="测试"), "reach": reach(hall.id)}
    late = {**said, "case_id": case.id, "by": clerk(hall.decider, hall.id)}
    with pytest.raises(CaseOver):
        deciding.decide(session, **late, now=now + timedelta(hours=24))
    done = deciding.decide(session, **late, now=now + timedelta(hours=24, seconds=-1))
    assert done.status == "refused"


def test_no_case_lives_longer_than_a_day(session):
    hall = Hall(None)
    with pytest.raises(Exception, match="ck_case_life"), session.begin_nested():
        case = enrolment_case(session, people.document(), clerk(hall.opener, hall.id))
        session.execute(
            text("UPDATE counter.case SET expires_at = expires_at + interval '1 s' WHERE id = :id"),
            {"id": case.id},
        )


def test_contents_are_forgotten_ninety_days_after_the_end(hall, session):
    person = people.citizen()
    case = hall.open("name_correction", person.document_number, new_name=NEW_NAME).json
    hall.decide(case["id"])
    assert ending.forget_contents(session, now=clock.now() + timedelta(days=89)) == 0
    assert jobs.forget_contents(clock.now()) == 0
    assert ending.forget_contents(session, now=clock.now() + timedelta(days=90, seconds=5)) == 1
    seen = hall.case(case["id"]).json
    assert (seen["new_name"], seen["evidence_reference"], seen["reason"]) == (None, None, None)
    assert seen["status"] == "approved"


def test_an_open_case_is_not_forgotten(session):
    hall = Hall(None)
    enrolment_case(session, people.document(), clerk(hall.opener, hall.id))
    assert ending.forget_contents(session, now=clock.now() + timedelta(days=400)) == 0


def test_nothing_of_a_case_lies_in_clear(hall, session):
    person, phone = people.citizen(), people.new_phone()
    case = hall.recovery(person, phone).json
    hall.decide(case["id"], reason="王小明本人到场")
    case = hall.open("name_correction", person.document_number, new_name=NEW_NAME).json
    hall.decide(case["id"])
    hall.decide(hall.open("enrolment", people.document(), "李桂兰").json["id"])
    for table in (
        "counter.case",
        "audit.entry",
        "jobs.outbox",
        "messages.message",
        "messages.delivery",
        "accounts.data_access",
        "web.idempotent_answer",
    ):
        stored = str(session.execute(text(f"SELECT to_jsonb(t) FROM {table} t")).scalars().all())
        for secret in (
            person.document_number,
            phone,
            phone[3:],
            "王小明",
            NEW_NAME,
            "李桂兰",
            EVIDENCE,
        ):
            assert secret not in stored, (table, secret)
            assert secret.encode().hex() not in stored, (table, secret)


def test_every_sealed_column_opens_at_its_declared_place(hall, session):
    case = hall.open("name_correction", people.citizen().document_number, new_name=NEW_NAME).json
    hall.decide(case["id"])
    for sealed in contribution.sealed:
        row = session.execute(
            text(f"SELECT id, {sealed.column} AS value FROM {sealed.table}")
        ).one()
        assert crypto.current().open(row.value, place=sealed.place.format(id=row.id))
    columns = session.scalars(
        text(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = 'counter' AND column_name LIKE '%\\_sealed'"
        )
    )
    assert set(columns) == {sealed.column for sealed in contribution.sealed}


def test_a_clerk_opens_sixty_cases_an_hour_at_most(hall):
    unknown = people.document()
    answers = [
        hall.open("name_correction", unknown, new_name=NEW_NAME).status_code for _ in range(61)
    ]
    assert answers == [404] * 60 + [429]


def test_a_name_correction_needs_a_name_and_takes_no_code(hall):
    number = people.document()
    missing = hall.open("name_correction", number)
    assert missing.json["errors"][0]["pointer"] == "/new_name"
    mixed = hall.open("enrolment", number, new_name=NEW_NAME)
    assert mixed.json["errors"][0] | {"message": ""} == {
        "pointer": "/new_name",
        "code": "unknown_field",
        "message": "",
    }


def test_a_failed_try_is_written_down_though_it_is_refused(hall, session):
    hall.open("name_correction", people.document(), new_name=NEW_NAME)
    assert acts(session) == ["counter.identity_refused"]


def test_the_clerks_doors_ask_for_their_permissions(shared_app):
    asked = {
        (rule.rule, method): access_of(shared_app.view_functions[rule.endpoint], method).permission
        for rule in shared_app.url_map.iter_rules()
        for method in rule.methods - {"OPTIONS", "HEAD"}
        if rule.rule.startswith(CLERKS)
    }
    assert set(asked.values()) == {
        "counter.cases.open",
        "counter.cases.decide",
        "counter.cases.read",
        "families.attest",
    }


def test_every_door_that_changes_something_is_limited(shared_app):
    limited = {
        rule.rule: [limit.rate for limit in access.limits]
        for rule in shared_app.url_map.iter_rules()
        if "POST" in rule.methods
        and rule.rule.startswith(DOORS)
        and (access := access_of(shared_app.view_functions[rule.endpoint], "POST"))
    }
    assert limited == {
        "/api/v1/counter/codes": ["60/hour"],
        "/api/v1/counter/links": ["30/minute"],
        "/api/v1/counter/links/end": ["30/minute"],
        "/api/v1/counter/cases": ["60/hour"],
        "/api/v1/counter/cases/<uuid:case_id>/decision": ["120/hour"],
        "/api/v1/counter/cases/<uuid:case_id>/cancel": ["120/hour"],
        "/api/v1/me/name-corrections": ["10/hour"],
        "/api/v1/me/name-corrections/<uuid:correction_id>/withdrawal": ["10/hour"],
    }


def test_two_kinds_about_one_person_are_decided_apart(session):
    """Two kinds about one person may be open together, one kind twice may not."""
    hall = Hall(None)
    person, by = people.citizen(), clerk(hall.opener, hall.id)
    recovery_case(session, person, by, people.new_phone())
    name_case(session, person, by)
    with pytest.raises(CaseOpen):
        name_case(session, person, by, "王大明")


@pytest.mark.parametrize("gone", ["suspended", "dismissed"])
def test_a_case_whose_opener_is_gone_is_refused_or_cancelled_and_never_approved(
    hall, session, told, gone
):
    if gone == "suspended":
        ending = text("UPDATE accounts.account SET status = 'suspended' WHERE id = :id")
    else:
        ending = text(
            "UPDATE organisations.membership SET ended_at = statement_timestamp() "
            "WHERE account_id = :id"
        )
    person = people.citizen()
    first = hall.open("name_correction", person.document_number, new_name="王晓明").json["id"]
    session.execute(ending, {"id": hall.opener.account_id})
    told.asked.clear()
    answer = hall.decide(first)
    assert (answer.status_code, answer.json["code"]) == (409, "opener_gone")
    assert told.asked == []
    assert hall.decide(first, approved=False).json["status"] == "refused"
