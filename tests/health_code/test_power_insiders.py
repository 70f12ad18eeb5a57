"""Insiders: who is barred, what an approver reads, who hears of it, and what rests on whom."""

import json

import approvals_world
import people
import power_world as world
import pytest

from citizen_cloud import crypto
from citizen_cloud.app import contributions
from citizen_cloud.approvals import sealing
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.registry.discovery import discover

API = "/api/v1"


@pytest.fixture
def officer(app):
    return people.staff(people.hall())


def hear_all():
    """Let everybody hear the news that waits, as the job worker does."""
    handlers = handlers_of((*contributions(), *discover().modules.values()))
    while dispatch(handlers):
        pass


def looks_at(someone, purpose="health_code.assign"):
    sql = (
        "SELECT reader_id, outcome FROM accounts.data_access "
        "WHERE person_id = :p AND purpose = :purpose ORDER BY id"
    )
    return [tuple(row) for row in world.rows(sql, p=someone.person_id, purpose=purpose)]


def acts(action):
    sql = "SELECT payload FROM audit.entry WHERE action = :a ORDER BY id"
    return [row.payload for row in world.rows(sql, a=action)]


# What approvers read.


def test_who_is_named_is_read_masked_and_every_reader_is_noted(client, officer):
    someone = people.citizen()
    asked = world.assign(client, officer, [someone])
    approver, auditor = approvals_world.approver(), people.auditor()
    for reader in (approver, auditor, officer):
        path = f"{API}/approvals/{asked.json['id']}"
        shown = client.get(path, headers=reader.headers)
        assert shown.status_code == 200, shown.text
        assert someone.document_number not in shown.text
        assert world.NAME not in shown.text
        [named] = shown.json["payload"]["persons"]
        assert named["name"] == "王*明"
        assert named["document_end"] == someone.document_number[-4:]
    assert someone.document_number not in asked.text
    readers = {reader for reader, outcome in looks_at(someone) if outcome == "read"}
    assert readers >= {approver.account_id, auditor.account_id, officer.account_id}


def test_who_is_named_by_id_is_read_masked_as_well(client, officer):
    someone = people.citizen()
    asked = world.assign(client, officer, [{"person_id": str(someone.person_id)}])
    shown = client.get(asked.headers["Location"], headers=officer.headers)
    [named] = shown.json["payload"]["persons"]
    assert named["name"] == "王*明"


def test_nothing_of_the_names_lies_open_among_kept_answers(client, officer):
    someone = people.citizen()
    headers = {**people.somebody(officer).headers, "Idempotency-Key": "insider-1"}
    person = {
        "document_type": "resident_id",
        "document_number": someone.document_number,
        "name": world.NAME,
    }
    body = {
        "kind": "health_code.assign_colour",
        "payload": {"persons": [person], "colour": "red", "days": 7},
        "reason": "close_contact",
        "evidence_reference": world.EVIDENCE,
    }
    assert client.post(f"{API}/approvals", json=body, headers=headers).status_code == 201
    kept = [bytes(row.body) for row in world.rows("SELECT body FROM web.idempotent_answer")]
    assert kept
    assert not any(someone.document_number.encode() in one for one in kept)


def test_a_proposal_keeps_ids_alone_and_forgets_with_its_people(client, officer):
    someone = people.citizen()
    asked = world.assign(client, officer, [someone])
    row = world.rows("SELECT id, payload_sealed FROM approvals.proposal")[0]
    place = sealing.payload_place(row.id)
    kept = json.loads(crypto.current().open(row.payload_sealed, place=place))
    assert kept["persons"] == [{"person_id": str(someone.person_id)}]
    world.change(
        "UPDATE accounts.person SET erased_at = statement_timestamp(), document_sealed = NULL, "
        "name_sealed = NULL WHERE id = :p",
        p=someone.person_id,
    )
    path = f"{API}/approvals/{asked.json['id']}"
    shown = client.get(path, headers=approvals_world.approver().headers).json
    assert shown["payload"]["persons"] == [{"person_id": str(someone.person_id)}]
    assert world.agree(client, asked).json["status"] == "failed"


# Who may not decide.


def tie(account, someone):
    """Let a staff account be somebody, as far as a platform can know it."""
    world.change("UPDATE accounts.account SET person_id = NULL WHERE id = :a", a=someone.account_id)
    world.change(
        "UPDATE accounts.account SET person_id = :p WHERE id = :a",
        p=someone.person_id,
        a=account.account_id,
    )


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_nobody_decides_on_the_own_colour(client, officer, verdict):
    someone, approver = people.citizen(), approvals_world.approver()
    asked = world.assign(client, officer, [someone])
    tie(approver, someone)
    said = world.decide(client, approver, asked.json["id"], verdict)
    assert (said.status_code, said.json["code"]) == (403, "own_proposal")


def test_the_sources_own_authority_does_not_let_its_batch_pass(client, app):
    unit = people.hall()
    source = world.source(client, unit, cap=1)
    crowd = [people.citizen() for _ in range(2)]
    waits = world.report(client, source, [world.row(one) for one in crowd])
    assert waits.status_code == 202
    sql = "SELECT proposal_id FROM health_code.batch WHERE id = :id"
    proposal_id = world.value(sql, id=waits.json["id"])
    own, (first, second) = approvals_world.approver(unit), approvals_world.approvers()
    said = world.decide(client, own, proposal_id)
    assert (said.status_code, said.json["code"]) == (403, "own_proposal")
    assert world.decide(client, first, proposal_id).json["status"] == "open"
    assert world.colour(crowd[0]) == "none"
    assert world.decide(client, second, proposal_id).json["status"] == "applied"


def test_nobody_proposes_that_the_own_record_be_withdrawn(client, officer):
    someone = people.citizen()
    world.agree(client, world.assign(client, officer, [someone]))
    event_id = world.value("SELECT id FROM health_code.event LIMIT 1")
    tie(officer, someone)
    payload = {"event_ids": [str(event_id)]}
    answer = world.propose(client, officer, "health_code.correct", payload, reason="wrong_data")
    assert (answer.status_code, answer.json["code"]) == (403, "own_person")


def test_whoever_agreed_to_a_colour_does_not_refuse_the_appeal_from_another_desk(client, officer):
    someone, (first, second) = people.citizen(), approvals_world.approvers()
    world.agree(client, world.assign(client, officer, [someone]), first, second)
    body = {"reason": "not_me", "text": "不是我"}
    made = client.post(f"{API}/health-code/appeals", json=body, headers=someone.headers)
    path = f"{API}/health-code/staff/appeals/{made.json['id']}/decision"
    refusal = {"verdict": "refuse", "answer": "no_proof"}
    said = client.post(path, json=refusal, headers=first.headers)
    assert (said.status_code, said.json["code"]) == (403, "other_unit_required")
    other = people.staff(people.hall())
    assert client.post(path, json=refusal, headers=other.headers).status_code == 200


# What becomes known.


def test_the_1317_without_evidence_reach_every_auditors_inbox_with_their_number(client, officer):
    auditor = people.auditor()
    crowd = [{"person_id": str(people.new_id())} for _ in range(1_317)]
    assert world.assign(client, officer, crowd, evidence=None).status_code == 422
    hear_all()
    assert "health_code.alarm" in world.inbox(auditor)
    [seen] = client.get(f"{API}/health-code/audit/alarms", headers=auditor.headers).json["items"]
    assert (seen["what"], seen["persons"]) == ("evidence_required", 1_317)


def test_a_reason_that_is_not_on_the_list_reaches_the_auditors_as_well(client, officer):
    auditor = people.auditor()
    assert world.assign(client, officer, [people.citizen()], reason="petition").status_code == 422
    hear_all()
    assert "health_code.alarm" in world.inbox(auditor)


def test_a_colour_by_hand_below_the_present_one_is_told_and_written_down(client, officer):
    """Red stays red: the yellow waits behind it, and nobody would have heard of it."""
    someone, approvers = people.citizen(), approvals_world.approvers()
    world.agree(client, world.assign(client, officer, [someone]), *approvers)
    hear_all()
    more = world.assign(client, officer, [someone], colour="yellow", days=20)
    world.agree(client, more, *approvers)
    assert world.colour(someone) == "red"
    hear_all()
    told = world.inbox(someone)
    assert told.count("health_code.colour") == 1
    assert told.count("health_code.assigned") == 1
    sql = "SELECT body FROM messages.message WHERE kind = 'health_code.assigned'"
    body = world.value(sql)
    assert "密切接触者" in body["zh"]
    assert "申诉" in body["zh"]
    assert [one["person_id"] for one in acts("health_code.colour_assigned")] == (
        [str(someone.person_id)] * 2
    )


def test_every_withdrawal_is_written_down_and_its_person_sees_who_looked(client, officer):
    someone = people.citizen()
    world.agree(client, world.assign(client, officer, [someone]))
    event_id = world.value("SELECT id FROM health_code.event LIMIT 1")
    payload = {"event_ids": [str(event_id)]}
    asked = world.propose(client, officer, "health_code.correct", payload, reason="wrong_data")
    world.agree(client, asked)
    [act] = acts("health_code.event_withdrawn")
    assert act["person_id"] == str(someone.person_id)
    seen = looks_at(someone, "health_code.correct")
    assert seen == [(officer.account_id, "read"), (officer.account_id, "changed")]


# What rests on a unit.


@pytest.mark.parametrize("change", ["status = 'closed'", "kind = 'pharmacy'"])
def test_a_source_whose_authority_is_none_any_more_reports_nothing(client, app, change):
    unit = people.hall()
    source = world.source(client, unit)
    world.change(f"UPDATE organisations.organisation SET {change} WHERE id = :u", u=unit)
    someone = people.citizen()
    answer = world.report(client, source, [world.row(someone)])
    assert answer.status_code in {401, 403}, answer.text
    assert world.events(someone) == []


@pytest.mark.parametrize("change", ["status = 'closed'", "kind = 'pharmacy'"])
def test_what_waits_of_an_authority_that_is_none_any_more_does_not_pass(client, app, change):
    unit = people.hall()
    source = world.source(client, unit, cap=1)
    crowd = [people.citizen() for _ in range(2)]
    waits = world.report(client, source, [world.row(one) for one in crowd])
    sql = "SELECT proposal_id FROM health_code.batch WHERE id = :id"
    proposal_id = world.value(sql, id=waits.json["id"])
    world.change(f"UPDATE organisations.organisation SET {change} WHERE id = :u", u=unit)
    first, second = approvals_world.approvers()
    world.decide(client, first, proposal_id)
    assert world.decide(client, second, proposal_id).json["status"] == "failed"
    assert world.events(crowd[0]) == []


@pytest.mark.parametrize("change", ["status = 'closed'", "kind = 'pharmacy'"])
def test_what_an_authority_proposed_that_is_none_any_more_is_not_done(client, officer, change):
    someone = people.citizen()
    asked = world.assign(client, officer, [someone])
    world.change(
        f"UPDATE organisations.organisation SET {change} WHERE id = :u", u=asked.json["unit_id"]
    )
    assert world.agree(client, asked).json["status"] == "failed"
    assert world.colour(someone) == "none"


def test_a_unit_that_is_moved_to_another_area_takes_its_rate_along(client, officer):
    """Whoever changes addresses could otherwise colour an area full after every move."""
    world.setting("area_rate", 2)
    first = world.assign(client, officer, [people.citizen() for _ in range(2)])
    world.agree(client, first)
    admin = people.admin()
    moved = client.patch(
        f"{API}/admin/organisations/{first.json['unit_id']}",
        json={"area_code": "210204"},
        headers=admin.headers,
    )
    assert moved.status_code == 200, moved.text
    again = world.assign(client, officer, [people.citizen()])
    assert again.json["approvals_needed"] == 3


def test_withdrawing_what_speaks_for_people_counts_as_colouring_them(client, officer):
    """Taking a recovery back reddens as surely as a colour by hand does."""
    world.setting("area_rate", 1)
    source, crowd = world.source(client), [people.citizen() for _ in range(2)]
    for kind, detail in (("test_result", "positive"), ("recovery", "")):
        rows = [world.row(one, kind, detail) for one in crowd]
        assert world.report(client, source, rows).status_code == 200
    sql = "SELECT id FROM health_code.event WHERE kind = 'recovery'"
    payload = {"event_ids": [str(row.id) for row in world.rows(sql)]}
    asked = world.propose(client, officer, "health_code.correct", payload, reason="wrong_data")
    assert asked.json["approvals_needed"] == 3
    assert "above_rate" in world.alarms()


# The clock.


def test_an_appeal_nobody_answers_rings_again_every_day(client, officer):
    someone = people.citizen()
    world.agree(client, world.assign(client, officer, [someone]))
    body = {"reason": "not_me", "text": "不是我"}
    client.post(f"{API}/health-code/appeals", json=body, headers=someone.headers)
    for expected in (1, 1, 2):
        if expected == 2:
            world.change(
                "UPDATE health_code.appeal SET overdue_at = overdue_at - interval '25 hours'"
            )
        else:
            world.change(
                "UPDATE health_code.appeal SET due_at = statement_timestamp() - interval '1 hour'"
            )
        world.power.ring_for_overdue(people.clock.now())
        assert len(world.alarms("appeal_overdue")) == expected
