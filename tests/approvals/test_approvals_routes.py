"""The doors: propose, look, decide, take back; and the auditor, who only looks."""

import hashlib
import json
import secrets
from dataclasses import replace

import approvals_world as world
import people
import pytest
from approvals_toy import Toy
from sqlalchemy import text

from citizen_cloud.app import roles_by_permission
from citizen_cloud.approvals import sealing, services
from citizen_cloud.oidc.rules.scopes import delegable
from citizen_cloud.portal.state import HOST

API = "/api/v1/approvals"
BODY = {
    "kind": "toy.change",
    "payload": {"size": 3},
    "reason": "exercise",
    "evidence_reference": "大卫健函 2026-0412",
}


@pytest.fixture(autouse=True)
def _ground(app, toy):
    return toy


@pytest.fixture
def clerk():
    return people.somebody(people.staff(people.hall()))


def propose(client, someone, *, headers=None, **changes):
    people.somebody(someone)
    sent = {key: value for key, value in {**BODY, **changes}.items() if value is not ...}
    return client.post(API, json=sent, headers=headers or someone.headers)


def look(client, someone, proposal_id):
    return client.get(f"{API}/{proposal_id}", headers=someone.headers)


def say(client, someone, proposal_id, verdict="approve", *, digest=None, headers=None, **more):
    shown = digest or world.digest(proposal_id)
    sent = {"verdict": verdict, "digest": shown, **more}
    path = f"{API}/{proposal_id}/decisions"
    return client.post(path, json=sent, headers=headers or someone.headers)


def acts(session, action):
    statement = text("SELECT payload FROM audit.entry WHERE action = :a ORDER BY id")
    return session.scalars(statement, {"a": action}).all()


def test_a_proposal_goes_from_hand_to_hand_until_it_is_done(client, clerk):
    made = propose(client, clerk)
    assert made.status_code == 201
    assert made.headers["Location"] == f"{API}/{made.json['id']}"
    assert made.json["status"] == "open"
    assert made.json["title"]["zh"] == "演练事项"
    assert not {"payload", "evidence_reference", "digest"} & set(made.json)
    assert look(client, clerk, made.json["id"]).json["payload"] == {"size": 3}
    one, two = world.approvers()
    shown = look(client, one, made.json["id"]).json
    assert (shown["summary"], shown["evidence_reference"]) == ({"size": 3}, "大卫健函 2026-0412")
    said = say(client, one, made.json["id"], digest=shown["digest"], note="已核对")
    assert (said.status_code, said.json["status"]) == (200, "open")
    said = say(client, two, made.json["id"], digest=shown["digest"])
    assert (said.json["status"], said.json["outcome"]) == ("applied", {"size": 3})
    after = look(client, clerk, made.json["id"]).json
    assert [(one["verdict"], one["note"]) for one in after["decisions"]] == [
        ("approve", "已核对"),
        ("approve", None),
    ]
    assert (after["approvals"], after["status"]) == (2, "applied")


def test_the_kinds_own_faults_have_pointers_into_the_payload(client, clerk):
    answer = propose(client, clerk, payload={"size": "many", "colour": "red"})
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json["errors"]} == {"/payload/size", "/payload/colour"}


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"kind": "toy.none"}, "approval_kind_unknown", "/kind"),
        ({"reason": "because"}, "reason_unknown", "/reason"),
        ({"evidence_reference": ...}, "evidence_required", "/evidence_reference"),
        ({"evidence_reference": "  "}, "evidence_required", "/evidence_reference"),
    ],
)
def test_what_is_missing_is_named(client, clerk, change, code, pointer):
    answer = propose(client, clerk, **change)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert [one["pointer"] for one in answer.json["errors"]] == [pointer]


def test_an_attempt_without_evidence_is_kept(client, clerk, session):
    propose(client, clerk, evidence_reference=...)
    (kept,) = acts(session, "approvals.propose_refused")
    assert kept == {"code": "evidence_required", "kind": "toy.change", "size": 0}
    assert session.scalar(text("SELECT count(*) FROM approvals.proposal")) == 0


def test_a_batch_without_evidence_is_alarmed_however_large_it_is(client, clerk, session):
    """Before its size is looked at: a cap must not silence the alarm."""
    answer = propose(client, clerk, payload={"size": 10**9}, evidence_reference=...)
    assert answer.json["code"] == "evidence_required"
    assert len(acts(session, "approvals.propose_refused")) == 1


@pytest.mark.parametrize("state", ["off", "read_only", "sunset"])
def test_what_belongs_to_a_module_that_ended_is_not_brought_about(client, clerk, state):
    kind = replace(Toy().kind, name="masks.change")
    switches = client.application.extensions[HOST].switchboard
    with world.also(kind):
        proposal = propose(client, clerk, kind="masks.change").json["id"]
        one, two = world.approvers()
        assert say(client, one, proposal).status_code == 200
        switches.take({"masks": (state, {})})
        assert propose(client, clerk, kind="masks.change").status_code == 503
        assert say(client, two, proposal).json["code"] == "module_off"
        assert world.state(proposal) == "open"
        assert say(client, two, proposal, "reject").json["status"] == "rejected"


def test_a_module_that_is_purged_leaves_nothing_of_what_was_decided(client, clerk, session):
    kind = replace(Toy().kind, name="masks.change")
    with world.also(kind):
        kept = propose(client, clerk).json["id"]
        ended, waiting = (propose(client, clerk, kind="masks.change").json["id"] for _ in range(2))
        say(client, world.approver(), ended, "reject", note="雀𠮷")
        assert services.forget_owner(session, owner="masks") == 2
        assert [world.state(each) for each in (ended, waiting)] == ["rejected", "withdrawn"]
        shown = look(client, clerk, ended).json
    gone = (shown["payload"], shown["evidence_reference"], shown["summary"])
    assert gone == (None, None, {})
    assert [one["note"] for one in shown["decisions"]] == [None]
    assert look(client, clerk, kept).json["payload"] == {"size": 3}


def test_a_refused_decision_is_kept(client, clerk, session):
    proposal = propose(client, clerk).json["id"]
    assert say(client, clerk, proposal).json["code"] == "not_an_approver"
    (kept,) = acts(session, "approvals.decide_refused")
    assert kept == {"code": "not_an_approver", "verdict": "approve"}


def test_who_works_at_no_authority_proposes_nothing(client):
    answer = propose(client, people.staff(people.pharmacy()))
    assert (answer.status_code, answer.json["code"]) == (403, "not_a_counter")


def test_a_kind_is_proposed_by_who_holds_its_permission(client, clerk):
    payload = {"account_id": str(clerk.account_id), "organisation_id": str(people.hall())}
    answer = propose(
        client, clerk, kind="approvals.appoint", payload=payload, reason="new_approver"
    )
    assert answer.status_code == 403


def test_a_retried_proposal_is_one(client, clerk, session):
    headers = clerk.key(secrets.token_hex(8))
    first, second = (propose(client, clerk, headers=headers) for _ in range(2))
    assert first.json["id"] == second.json["id"]
    assert session.scalar(text("SELECT count(*) FROM approvals.proposal")) == 1


def test_a_decision_is_about_what_was_shown(client, clerk):
    proposal, one = propose(client, clerk).json["id"], world.approver()
    assert say(client, one, proposal, digest="0" * 64).status_code == 412


def test_a_decision_asks_for_fresh_factors(client, clerk, session):
    proposal, one = propose(client, clerk).json["id"], world.approver()
    session.execute(text("UPDATE accounts.sign_in SET proved_at = proved_at - interval '1 hour'"))
    answer = say(client, one, proposal)
    assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")


def test_a_colleague_sees_that_there_is_one_and_a_stranger_nothing(client):
    hall = people.hall()
    clerk, colleague, stranger = people.staff(hall), people.staff(hall), people.staff(people.hall())
    proposal = propose(client, clerk).json["id"]
    seen = look(client, colleague, proposal).json
    assert (seen["payload"], seen["evidence_reference"]) == (None, None)
    assert seen["summary"] == {"size": 3}
    assert look(client, stranger, proposal).status_code == 404
    for someone, count in ((clerk, 1), (colleague, 1), (stranger, 0), (world.approver(), 1)):
        listed = client.get(API, headers=someone.headers).json["items"]
        assert len(listed) == count


def test_the_list_is_paged_and_filtered(client, clerk):
    made = [propose(client, clerk).json["id"] for _ in range(3)]
    withdrawn = client.delete(f"{API}/{made[0]}", headers=clerk.headers)
    assert withdrawn.status_code == 204
    first = client.get(f"{API}?limit=2", headers=clerk.headers).json
    assert [one["id"] for one in first["items"]] == made[:0:-1]
    after = f"{API}?limit=2&cursor={first['next_cursor']}"
    rest = client.get(after, headers=clerk.headers).json
    assert ([one["id"] for one in rest["items"]], rest["next_cursor"]) == ([made[0]], None)
    only = client.get(f"{API}?status=withdrawn", headers=clerk.headers).json["items"]
    assert [one["id"] for one in only] == [made[0]]
    none = client.get(f"{API}?kind=approvals.appoint", headers=clerk.headers).json["items"]
    assert none == []


def test_only_the_proposer_withdraws(client, clerk):
    proposal = propose(client, clerk).json["id"]
    path = f"{API}/{proposal}"
    for someone in (world.approver(), people.staff(people.hall())):
        assert client.delete(path, headers=someone.headers).status_code == 404
    assert client.delete(path, headers=clerk.headers).status_code == 204
    again = client.delete(path, headers=clerk.headers)
    assert (again.status_code, again.json["code"]) == (409, "proposal_over")


def test_the_kinds_say_what_may_be_proposed_and_why(client, clerk):
    listed = client.get(f"{API}/kinds", headers=clerk.headers).json["items"]
    known = {one["name"]: one for one in listed}
    assert known["toy.change"]["may_propose"]
    assert not known["approvals.appoint"]["may_propose"]
    assert [one["code"] for one in known["toy.change"]["reasons"]] == ["exercise"]
    size = known["toy.change"]["payload"][0]
    assert (size["name"], size["type"], size["required"]) == ("size", "int", True)


def test_the_auditor_sees_all_and_changes_nothing(client, clerk, session):
    """Every door of the room, taken from the application itself."""
    auditor, proposal = people.auditor(), propose(client, clerk).json["id"]
    before = fingerprint(session)
    tried = []
    for rule in client.application.url_map.iter_rules():
        if not rule.rule.startswith(API):
            continue
        path = rule.rule.replace("<uuid:approval_id>", proposal)
        body = {"verdict": "approve", "digest": world.digest(proposal)}
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            sent = BODY if path == API else body
            json = None if method in ("GET", "DELETE") else sent
            answer = client.open(path, method=method, json=json, headers=auditor.headers)
            tried.append((method, rule.rule, answer.status_code))
    assert len(tried) >= 6
    assert [one for one in tried if one[2] != (200 if one[0] == "GET" else 403)] == []
    assert fingerprint(session) == before
    seen = look(client, auditor, proposal).json
    assert (seen["payload"], seen["evidence_reference"]) == (
        {"size": 3},
        BODY["evidence_reference"],
    )


def test_no_system_proposes_or_decides_through_the_doors(client):
    """A batch above its cap is proposed by its own rule; nobody registers a machine that agrees."""
    names = delegable(roles_by_permission(client.application.extensions[HOST].permissions))
    assert "masks.redeem" in names
    assert [name for name in names if name.startswith("approvals.")] == []


def fingerprint(session):
    return [
        session.execute(text(f"SELECT * FROM approvals.{table} ORDER BY id")).all()
        for table in ("proposal", "decision", "approver")
    ]


def test_nobody_with_a_dump_can_try_on_the_digest_what_was_proposed(client, clerk):
    proposal_id = propose(client, clerk).json["id"]
    payload = sealing.written({"size": 3})
    facts = [proposal_id, "toy.change", payload, "exercise", BODY["evidence_reference"]]
    guess = hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode())
    assert look(client, clerk, proposal_id).json["digest"] != guess.hexdigest()
