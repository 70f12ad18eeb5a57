"""A colour by hand: two approvers of different units, a cap, a rate, and alarms."""

import approvals_world
import people
import power_world as world
import pytest

from citizen_cloud.manifest import Terms
from citizen_cloud.modules.health_code.services.power import rates


@pytest.fixture
def officer(app):
    return people.staff(people.hall())


def test_two_approvers_of_different_units_turn_somebody_red(client, officer):
    someone = people.citizen()
    answer = world.assign(client, officer, [someone])
    assert answer.json["approvals_needed"] == 2
    first, second = approvals_world.approvers()
    assert world.decide(client, first, answer.json["id"]).json["status"] == "open"
    assert world.colour(someone) == "none"
    assert world.decide(client, second, answer.json["id"]).json["status"] == "applied"
    assert world.colour(someone) == "red"
    [(kind, approval_id, _)] = world.events(someone)
    assert (kind, str(approval_id)) == ("assigned", answer.json["id"])


def test_nobody_is_named_where_people_read_what_is_asked(client, officer):
    someone = people.citizen()
    answer = world.assign(client, officer, [someone])
    assert answer.json["summary"]["persons"] == 1
    assert someone.document_number not in str(answer.json["summary"])


def crowd_of(number):
    return [{"person_id": str(people.new_id())} for _ in range(number)]


def test_a_batch_of_1317_without_evidence_is_refused_and_alarmed(client, officer):
    auditor = people.auditor()
    answer = world.assign(client, officer, crowd_of(1_317), evidence=None)
    assert (answer.status_code, answer.json["code"]) == (422, "evidence_required")
    seen = client.get("/api/v1/health-code/audit/alarms", headers=auditor.headers).json["items"]
    assert [(one["what"], one["actor_id"]) for one in seen] == [
        ("evidence_required", str(officer.account_id))
    ]
    assert world.value("SELECT count(*) FROM approvals.proposal") == 0


def test_with_evidence_it_is_refused_and_every_auditor_is_told(client, officer):
    auditor = people.auditor()
    answer = world.assign(client, officer, crowd_of(1_317))
    assert (answer.status_code, answer.json["code"]) == (422, "batch_too_large")
    assert world.alarms() == ["batch_too_large"]
    assert "health_code.alarm" in world.inbox(auditor)
    [row] = world.rows("SELECT payload FROM audit.entry WHERE action = 'health_code.alarm'")
    assert (row.payload["persons"], row.payload["cap"]) == (1_317, 50)
    assert world.value("SELECT count(*) FROM approvals.proposal") == 0


def test_the_cap_is_the_last_that_passes(client, officer):
    assert world.assign(client, officer, crowd_of(51)).json["code"] == "batch_too_large"
    assert world.assign(client, officer, crowd_of(50)).json["code"] == "person_unknown"


def test_few_people_without_evidence_are_refused_and_the_attempt_is_kept(client, officer):
    answer = world.assign(client, officer, [people.citizen()], evidence=None)
    assert (answer.status_code, answer.json["code"]) == (422, "evidence_required")
    sql = "SELECT count(*) FROM audit.entry WHERE action = 'approvals.propose_refused'"
    assert world.value(sql) == 1


@pytest.mark.parametrize("reason", ["petition", "debt", "other", ""])
def test_only_epidemic_reasons_count(client, officer, reason):
    answer = world.assign(client, officer, [people.citizen()], reason=reason)
    assert answer.status_code == 422


def test_the_list_is_no_way_to_find_out_who_lives_here(client, officer):
    known, stranger = people.citizen(), {"person_id": str(people.new_id())}
    answer = world.assign(client, officer, [known, stranger])
    assert (answer.status_code, answer.json["code"]) == (422, "person_unknown")
    assert "errors" not in answer.json
    sql = "SELECT outcome FROM accounts.data_access WHERE person_id = :p"
    assert world.value(sql, p=known.person_id) == "refused"
    assert world.alarms() == ["person_unknown"]


def test_a_wrong_name_is_nobody(client, officer):
    someone = people.citizen()
    named = {
        "document_type": "resident_id",
        "document_number": someone.document_number,
        "name": "李四光",
    }
    assert world.assign(client, officer, [named]).json["code"] == "person_unknown"


def test_who_works_at_a_pharmacy_proposes_nothing(client, app):
    clerk = people.staff(people.pharmacy())
    answer = world.assign(client, clerk, [people.citizen()])
    assert answer.status_code == 403


def test_nobody_proposes_about_himself(client, officer):
    someone = people.citizen()
    world.change("UPDATE accounts.account SET person_id = NULL WHERE id = :a", a=someone.account_id)
    world.change(
        "UPDATE accounts.account SET person_id = :p WHERE id = :a",
        p=someone.person_id,
        a=officer.account_id,
    )
    answer = world.assign(client, officer, [someone])
    assert (answer.status_code, answer.json["code"]) == (403, "own_person")


def test_above_the_rate_of_an_area_a_third_must_agree(client, officer):
    world.setting("area_rate", 2)
    crowd = [people.citizen() for _ in range(3)]
    answer = world.assign(client, officer, crowd)
    assert answer.json["approvals_needed"] == 3
    first, second, third = approvals_world.approvers(3)
    world.agree(client, answer, first, second)
    assert world.colour(crowd[0]) == "none"
    assert world.decide(client, third, answer.json["id"]).json["status"] == "applied"
    assert "above_rate" in world.alarms()


def test_what_was_within_the_rate_when_proposed_is_counted_again_when_applied(client, officer):
    """Many small proposals at once are one large one."""
    world.setting("area_rate", 2)
    crowd = [people.citizen() for _ in range(3)]
    asked = [world.assign(client, officer, [one]) for one in crowd]
    assert [one.json["approvals_needed"] for one in asked] == [2, 2, 2]
    approvers = approvals_world.approvers(3)
    states = [world.agree(client, one, *approvers[:2]).json["status"] for one in asked]
    assert states == ["applied", "applied", "open"]
    assert [world.colour(one) for one in crowd] == ["red", "red", "none"]
    assert world.decide(client, approvers[2], asked[2].json["id"]).json["status"] == "applied"


def test_another_areas_colours_do_not_count(client, officer):
    world.setting("area_rate", 1)
    world.agree(client, world.assign(client, officer, [people.citizen()]))
    elsewhere = people.hall()
    world.change(
        "UPDATE organisations.organisation SET area_code = '210204' WHERE id = :id", id=elsewhere
    )
    answer = world.assign(client, people.staff(elsewhere), [people.citizen()])
    assert answer.json["approvals_needed"] == 2


def test_without_the_rate_the_third_is_not_asked_for(client, officer, monkeypatch):
    """The control of the two above."""
    world.setting("area_rate", 2)
    monkeypatch.setattr(rates, "approvals_needed", lambda **_: 2)
    answer = world.assign(client, officer, [people.citizen() for _ in range(3)])
    assert answer.json["approvals_needed"] == Terms().approvals == 2
