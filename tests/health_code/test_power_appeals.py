"""Appeals and corrections: a clock, an officer of another unit, two approvers for a yes."""

import approvals_world
import health_world
import people
import power_world as world
import pytest

from citizen_cloud.modules.health_code.jobs import power

APPEALS = "/api/v1/health-code/appeals"
STAFF = "/api/v1/health-code/staff/appeals"
WORDS = "11月20日的检测为阴性，请核对。"


@pytest.fixture
def officer(app):
    return people.somebody(people.staff(people.hall()))


def reddened(client, by=None, someone=None):
    """Return a citizen whom two approvers turned red by hand."""
    someone = someone or people.citizen()
    proposer = by or people.staff(people.hall())
    world.agree(client, world.assign(client, proposer, [someone]))
    assert world.colour(someone) == "red"
    return someone


def appeal(client, someone, reason="no_contact", **more):
    return client.post(
        APPEALS, json={"reason": reason, "text": WORDS, **more}, headers=someone.headers
    )


def answer(client, officer, appeal_id, **body):
    return client.post(f"{STAFF}/{appeal_id}/decision", json=body, headers=officer.headers)


def grant(client, officer, appeal_id, event_ids):
    return answer(
        client,
        officer,
        appeal_id,
        verdict="grant",
        reason="wrong_person",
        evidence_reference=world.EVIDENCE,
        event_ids=event_ids,
    )


def opened(client, officer, appeal_id):
    return client.get(f"{STAFF}/{appeal_id}", headers=officer.headers)


def test_a_red_code_can_be_objected_to_without_any_consent(client):
    someone = reddened(client)
    made = appeal(client, someone)
    assert made.status_code == 201, made.text
    assert (made.json["status"], made.json["colour"]) == ("open", "red")
    due = world.value(
        "SELECT due_at - created_at FROM health_code.appeal WHERE person_id = :p",
        p=someone.person_id,
    )
    assert due.total_seconds() == 24 * 3600
    assert client.get(made.headers["Location"], headers=someone.headers).json == made.json


def test_green_is_nothing_to_object_to(client, app):
    made = appeal(client, health_world.coloured(people.citizen(), "green"))
    assert (made.status_code, made.json["code"]) == (409, "nothing_to_appeal")


def test_one_at_a_time(client):
    someone = reddened(client)
    assert appeal(client, someone).status_code == 201
    assert appeal(client, someone).json["code"] == "appeal_open"


def test_the_words_lie_sealed_and_only_the_officer_who_opens_them_reads_them(client, officer):
    someone = reddened(client)
    appeal_id = appeal(client, someone).json["id"]
    sealed = world.value("SELECT text_sealed FROM health_code.appeal WHERE id = :i", i=appeal_id)
    assert WORDS.encode() not in bytes(sealed)
    listed = client.get(STAFF, headers=officer.headers)
    assert [one["id"] for one in listed.json["items"]] == [appeal_id]
    assert str(someone.person_id) not in listed.text
    seen = opened(client, officer, appeal_id)
    assert (seen.json["text"], seen.json["person_name"]) == (WORDS, "王*明")
    assert [one["kind"] for one in seen.json["events"]] == ["assigned"]
    sql = "SELECT purpose, organisation_id FROM accounts.data_access WHERE person_id = :p"
    looks = [row.purpose for row in world.rows(sql, p=someone.person_id)]
    assert "health_code.appeal" in looks


def test_a_pharmacys_staff_see_no_appeals(client):
    appeal_id = appeal(client, reddened(client)).json["id"]
    clerk = people.staff(people.pharmacy())
    for place in (STAFF, f"{STAFF}/{appeal_id}"):
        assert client.get(place, headers=clerk.headers).json["code"] == "authority_required"


def test_one_officer_refuses_with_a_reason_that_is_told(client, officer):
    someone = reddened(client)
    appeal_id = appeal(client, someone).json["id"]
    said = answer(client, officer, appeal_id, verdict="refuse", answer="evidence_stands")
    assert (said.status_code, said.json["status"]) == (200, "refused")
    shown = client.get(f"{APPEALS}/{appeal_id}", headers=someone.headers).json
    assert shown["outcome"]["zh"] == "未予同意：依据成立。"
    assert shown["unit_name"]["zh"]
    assert str(officer.account_id) not in str(shown)
    assert "health_code.appeal_decided" in world.inbox(someone)
    [act] = world.rows(
        "SELECT actor_id, payload FROM audit.entry WHERE action = 'health_code.appeal_decided'"
    )
    assert (act.actor_id, act.payload["answer"]) == (officer.account_id, "evidence_stands")
    again = answer(client, officer, appeal_id, verdict="refuse", answer="no_proof")
    assert again.json["code"] == "appeal_over"


def test_the_unit_that_gave_the_colour_does_not_refuse_the_appeal(client, officer):
    someone = reddened(client, by=officer)
    appeal_id = appeal(client, someone).json["id"]
    said = answer(client, officer, appeal_id, verdict="refuse", answer="evidence_stands")
    assert (said.status_code, said.json["code"]) == (403, "other_unit_required")


def test_no_officer_turns_anybody_green_alone(client, officer):
    someone = reddened(client)
    appeal_id = appeal(client, someone).json["id"]
    [event] = opened(client, officer, appeal_id).json["events"]
    said = grant(client, officer, appeal_id, [event["id"]])
    assert (said.status_code, said.json["status"]) == (200, "proposed"), said.text
    assert world.colour(someone) == "red"
    first, second = approvals_world.approvers()
    world.decide(client, first, said.json["approval_id"])
    assert world.colour(someone) == "red"
    assert world.decide(client, second, said.json["approval_id"]).json["status"] == "applied"
    assert world.colour(someone) == "none"
    assert [kind for kind, *_ in world.events(someone)] == ["assigned", "withdrawn"]
    shown = client.get(f"{APPEALS}/{appeal_id}", headers=someone.headers).json
    assert shown["status"] == "granted"
    assert "health_code.appeal_decided" in world.inbox(someone)


def test_what_is_not_agreed_to_is_open_again_and_its_clock_runs_on(client, officer):
    someone = reddened(client)
    made = appeal(client, someone).json
    [event] = opened(client, officer, made["id"]).json["events"]
    approval_id = grant(client, officer, made["id"], [event["id"]]).json["approval_id"]
    world.decide(client, approvals_world.approver(), approval_id, "reject")
    world.hear()
    shown = client.get(f"{APPEALS}/{made['id']}", headers=someone.headers).json
    assert (shown["status"], shown["due_at"]) == ("open", made["due_at"])


def test_only_events_of_the_appeals_own_person_are_withdrawn_for_it(client, officer):
    one, other = reddened(client), reddened(client)
    appeal_id = appeal(client, one).json["id"]
    event_id = world.value(
        "SELECT id FROM health_code.event WHERE person_id = :p", p=other.person_id
    )
    said = grant(client, officer, appeal_id, [str(event_id)])
    assert (said.status_code, said.json["code"]) == (422, "event_unfit")


def test_what_was_withdrawn_is_not_withdrawn_twice(client, officer):
    someone = reddened(client)
    event_id = world.value(
        "SELECT id FROM health_code.event WHERE person_id = :p", p=someone.person_id
    )
    payload = {"event_ids": [str(event_id)]}
    ask = (client, officer, "health_code.correct", payload)
    first = world.propose(*ask, reason="wrong_data")
    second = world.propose(*ask, reason="wrong_data")
    pair = approvals_world.approvers()
    assert world.agree(client, first, *pair).json["status"] == "applied"
    assert world.agree(client, second, *pair).json["status"] == "failed"


def test_what_is_said_to_be_overdue_and_is_not_waits_for_an_officer(client):
    someone = reddened(client)
    world.change(
        "UPDATE health_code.standing SET holds_until = statement_timestamp() - interval '2 days' "
        "WHERE person_id = :p",
        p=someone.person_id,
    )
    assert appeal(client, someone, "overdue").json["status"] == "open"


def test_an_overdue_colour_turns_at_once(client, app):
    """The row says yellow, the job did not come by, and the fold says green."""
    someone = health_world.coloured(people.citizen(), "green")
    world.change(
        "UPDATE health_code.standing SET colour = 'yellow', "
        "holds_until = statement_timestamp() - interval '2 days' WHERE person_id = :p",
        p=someone.person_id,
    )
    made = appeal(client, someone, "overdue")
    assert (made.status_code, made.json["status"]) == (201, "by_rule"), made.text
    assert world.colour(someone) == "green"
    assert "health_code.appeal_decided" in world.inbox(someone)


def test_a_record_can_be_corrected_whatever_the_colour(client, app):
    someone = health_world.coloured(people.citizen(), "green")
    event_id = world.value(
        "SELECT id FROM health_code.event WHERE person_id = :p", p=someone.person_id
    )
    body = {"event_id": str(event_id), "wrong": "wrong_time", "text": WORDS}
    made = client.post("/api/v1/health-code/corrections", json=body, headers=someone.headers)
    assert (made.status_code, made.json["kind"]) == (201, "correction"), made.text
    listed = client.get(APPEALS, headers=someone.headers).json["items"]
    assert [one["id"] for one in listed] == [made.json["id"]]


def test_anothers_record_is_not_there_to_be_corrected(client, app):
    other = health_world.coloured(people.citizen(), "green")
    event_id = world.value(
        "SELECT id FROM health_code.event WHERE person_id = :p", p=other.person_id
    )
    body = {"event_id": str(event_id), "wrong": "wrong_time", "text": WORDS}
    made = client.post(
        "/api/v1/health-code/corrections", json=body, headers=people.citizen().headers
    )
    assert (made.status_code, made.json["code"]) == (422, "event_unfit")


def test_an_appeal_nobody_answers_in_time_rings_once(client):
    auditor = people.auditor()
    appeal(client, reddened(client))
    assert power.ring_for_overdue(people.clock.now()) == 0
    world.change("UPDATE health_code.appeal SET due_at = created_at - interval '1 second'")
    assert power.ring_for_overdue(people.clock.now()) == 1
    assert power.ring_for_overdue(people.clock.now()) == 0
    assert world.alarms() == ["appeal_overdue"]
    assert "health_code.alarm" in world.inbox(auditor)


def test_the_auditor_sees_what_was_done_by_hand_and_by_whom_but_not_to_whom(client, officer):
    auditor = people.auditor()
    someone = reddened(client, by=officer)
    appeal(client, someone)
    source = world.source(client)
    world.report(client, source, [world.row(people.citizen())])
    world.assign(client, officer, [{"person_id": str(people.new_id())}])
    seen = {
        name: client.get(f"/api/v1/health-code/audit/{name}", headers=auditor.headers)
        for name in ("manual-events", "batches", "sources", "appeals", "alarms")
    }
    assert {name: answer.status_code for name, answer in seen.items()} == dict.fromkeys(seen, 200)
    [manual] = seen["manual-events"].json["items"]
    assert manual["kind"] == "assigned"
    assert len(set(manual["approved_by"]) - {manual["unit_id"]}) == 2
    assert all(len(answer.json["items"]) == 1 for answer in seen.values())
    for answered in seen.values():
        assert str(someone.person_id) not in answered.text


def test_nobody_but_the_auditor_sees_it(client, officer):
    for someone in (officer, people.admin(), people.citizen()):
        answered = client.get("/api/v1/health-code/audit/alarms", headers=someone.headers)
        assert answered.status_code == 403
