"""Sealed visits, opened by case: two agree, one authority reads for a day, nothing in silence."""

from datetime import timedelta

import approvals_world
import health_world
import people
import places_world
import pytest
from places_world import entered
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts.identity import mask_name
from citizen_cloud.accounts.services import data_access
from citizen_cloud.approvals import services as approvals
from citizen_cloud.approvals.refusals import OwnProposal
from citizen_cloud.approvals.services import Proposer
from citizen_cloud.errors import Forbidden, Invalid
from citizen_cloud.modules.health_code.rules.place_refusals import WindowRefused
from citizen_cloud.modules.health_code.rules.visits import hour_of
from citizen_cloud.modules.health_code.services.places import opened_visits

ROOT = "/api/v1/health-code"


class Case:
    """A place somebody was at, and an authority with an officer who asks."""

    def __init__(self, client):
        self.client = client
        self.visitor = places_world.green(name="欧阳娜娜")
        self.place_id = places_world.place(people.pharmacy())
        self.visit = entered(client, self.visitor, self.place_id)
        self.unit = people.hall("市疾病预防控制中心")
        self.officer = people.somebody(people.staff(self.unit))

    def get(self, path, who=None):
        return self.client.get(ROOT + path, headers=(who or self.officer).headers)

    def read(self, opening_id, who=None, query=""):
        return self.get(f"/visit-openings/{opening_id}/visits{query}", who)

    def open(self, **options):
        return places_world.opening(self.place_id, self.unit, self.officer, **options)


@pytest.fixture
def case(client):
    return Case(client)


def propose(case, *, unit=None, evidence="报告 2026-0412", by=None, **change):
    until = hour_of(clock.now()) + timedelta(hours=1)
    payload = {
        "place_id": case.place_id,
        "from_at": until - timedelta(hours=2),
        "until_at": until,
        "case_number": "流调 2026-0412",
        **change,
    }
    with places_world.known(), db.transaction() as session:
        return approvals.propose(
            session,
            kind="health_code.open_visits",
            payload=payload,
            reason="contact_tracing",
            evidence_reference=evidence,
            proposer=Proposer(account_id=case.officer.account_id, unit_id=unit or case.unit),
        )


def test_one_approval_opens_nothing_and_two_of_different_units_do(case):
    proposal_id = propose(case)
    first, second = approvals_world.approvers()
    with places_world.known():
        approvals_world.agree(proposal_id, [first])
        assert case.read(proposal_id).status_code == 404
        approvals_world.agree(proposal_id, [second])
    found = case.read(proposal_id).json["items"]
    assert [one["person_id"] for one in found] == [str(case.visitor.person_id)]
    assert found[0]["person_name"] == mask_name("欧阳娜娜") != "欧阳娜娜"
    assert "欧阳娜娜" not in case.read(proposal_id).text


def test_the_asking_authority_does_not_agree_to_its_own_reading(case):
    proposal_id = propose(case)
    with places_world.known(), pytest.raises(OwnProposal):
        approvals_world.agree(proposal_id, [approvals_world.approver(case.unit)])


@pytest.mark.parametrize("change", ["status = 'closed'", "kind = 'pharmacy'"])
def test_an_authority_that_is_none_any_more_reads_nothing(case, change):
    opening_id = case.open()
    with db.transaction() as session:
        session.execute(
            text(f"UPDATE organisations.organisation SET {change} WHERE id = :u"), {"u": case.unit}
        )
    assert case.read(opening_id).status_code in {403, 404}


def test_only_the_asking_authority_reads(case):
    opening_id = case.open()
    for someone in (
        people.staff(people.hall("另一个机构")),
        people.manager(people.pharmacy()),
    ):
        assert case.read(opening_id, someone).status_code == 404
    for someone in (people.admin(), people.auditor()):
        assert case.read(opening_id, someone).status_code == 403
    assert case.read(opening_id).status_code == 200


def test_after_a_day_it_is_shut_again(case):
    opening_id = case.open()
    with db.transaction() as session:
        session.execute(
            text("UPDATE health_code.visit_opening SET ends_at = ends_at - interval '24 hours'")
        )
    assert case.read(opening_id).json["code"] == "opening_over"
    notices = f"{ROOT}/visit-openings/{opening_id}/notices"
    refused = case.client.post(notices, headers=case.officer.headers)
    assert refused.json["code"] == "opening_over"
    assert case.get("/visit-openings").json["items"][0]["is_over"] is True


def test_only_the_hours_that_were_agreed_to_are_shown(case):
    earlier = case.open(hours=2, ahead=-1)
    assert case.read(earlier).json["items"] == []


def test_every_read_is_audited_and_seen_by_the_person(case):
    opening_id = case.open()
    case.read(opening_id)
    with db.transaction() as session:
        act = session.execute(
            text("SELECT * FROM audit.entry WHERE action = 'health_code.visits_read'")
        ).one()
    assert (act.object_id, act.actor_id) == (opening_id, case.officer.account_id)
    assert str(case.visitor.person_id) not in str(act.payload)
    seen = case.client.get("/api/v1/me/data-access", headers=case.visitor.headers).json["items"]
    (look,) = [one for one in seen if one["purpose"] == "health_code.visits"]
    assert look["reader"]["organisation"]["zh"] == "市疾病预防控制中心"
    assert {one["text"]["en"] for one in look["categories"]} == {"Name", "Visits"}
    assert look["purpose_text"]["en"] == "Reading the visits of a place for a case"


def test_whoever_reads_too_many_is_stopped_with_an_alarm(case, monkeypatch):
    for _ in range(3):
        entered(case.client, places_world.green(), case.place_id)
    opening_id = case.open()
    monkeypatch.setattr(data_access, "_most", [2])
    answer = case.read(opening_id)
    assert answer.status_code == 429
    assert str(case.visitor.person_id) not in answer.text
    with db.transaction() as session:
        alarms = session.scalar(
            text("SELECT count(*) FROM audit.entry WHERE action = 'privacy.bulk_read'")
        )
    assert alarms == 1


def test_a_record_is_read_page_by_page(case):
    for _ in range(2):
        entered(case.client, places_world.green(), case.place_id)
    opening_id = case.open()
    first = case.read(opening_id, query="?limit=2").json
    rest = case.read(opening_id, query=f"?limit=2&cursor={first['next_cursor']}").json
    persons = {one["person_id"] for one in (*first["items"], *rest["items"])}
    assert len(persons) == 3
    (used,) = case.get("/visit-openings").json["items"]
    assert (used["reads"], used["shown"]) == (2, 3)


def test_who_was_erased_meanwhile_is_not_shown(case):
    opening_id = case.open()
    with db.transaction() as session:
        session.execute(
            text("UPDATE accounts.person SET erased_at = statement_timestamp() WHERE id = :id"),
            {"id": case.visitor.person_id},
        )
    assert case.read(opening_id).json["items"] == []


def test_the_auditor_sees_that_it_was_opened_and_not_who_was_there(case):
    opening_id = case.open()
    case.read(opening_id)
    answer = case.get("/audit/visit-openings", people.auditor())
    (found,) = answer.json["items"]
    assert found["id"] == str(opening_id)
    assert (found["unit_id"], found["reads"]) == (str(case.unit), 1)
    assert str(case.visitor.person_id) not in answer.text
    assert case.get("/audit/visit-openings").status_code == 403


def test_approvers_see_a_band_and_never_a_person(case):
    proposal_id = propose(case)
    with db.transaction() as session:
        row = session.execute(
            text("SELECT * FROM approvals.proposal WHERE id = :id"), {"id": proposal_id}
        ).one()
    assert row.summary["visits"] == "1-9"
    assert str(case.visitor.person_id) not in str(row.summary)


@pytest.mark.parametrize(
    "change",
    [
        {"from_at": -15 * 24, "until_at": 0},
        {"from_at": -1, "until_at": 3},
        {"from_at": 0, "until_at": 0},
        {"from_at": -22 * 24, "until_at": -21 * 24},
        {"from_at": -1.5, "until_at": 0},
    ],
)
def test_a_window_has_its_bounds(case, change):
    hour = hour_of(clock.now())
    window = {name: hour + timedelta(hours=by) for name, by in change.items()}
    with pytest.raises(WindowRefused):
        propose(case, **window)


def test_no_pharmacy_asks_and_no_unknown_place_is_opened(case):
    with pytest.raises(Forbidden):
        propose(case, unit=people.pharmacy())
    with pytest.raises(Invalid):
        propose(case, place_id=people.hall())


def test_visitors_are_told_once_through_the_inbox_without_place_or_hour(case, monkeypatch):
    monkeypatch.setattr(opened_visits, "MOST_TOLD", 2)
    visitors = [case.visitor, *(places_world.green() for _ in range(3))]
    for someone in visitors[1:]:
        entered(case.client, someone, case.place_id)
    absent = health_world.coloured(people.citizen(), "green")
    opening_id = case.open()
    for _ in range(2):
        path = f"{ROOT}/visit-openings/{opening_id}/notices"
        assert case.client.post(path, headers=case.officer.headers).status_code == 202
        places_world.deliver()
    told = {}
    for someone in (*visitors, absent):
        inbox = case.client.get("/api/v1/me/messages", headers=someone.headers).json["items"]
        told[someone.account_id] = [
            one for one in inbox if one["kind"] == "health_code.visits_read"
        ]
    assert [len(told[someone.account_id]) for someone in visitors] == [1] * 4
    assert told[absent.account_id] == []
    (note,) = told[case.visitor.account_id]
    assert "市疾病预防控制中心" in note["body"]["zh"]
    with db.transaction() as session:
        row = session.execute(
            text("SELECT m::text AS all FROM messages.message m WHERE id = :id"), {"id": note["id"]}
        ).one()
    assert str(case.place_id) not in row.all
    assert str(opening_id) not in row.all
