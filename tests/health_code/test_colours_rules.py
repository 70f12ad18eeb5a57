"""Rules are data: read strictly, tried on everybody, and in force only by two authorities."""

import copy
import threading
from datetime import timedelta
from uuid import UUID

import approvals_world
import people
import pytest
from click.testing import CliRunner
from health_world import ILL, coloured, declared, reported, standings_wrong
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.cli import health_code as cli
from citizen_cloud.db import new_id
from citizen_cloud.manifest import Proposal
from citizen_cloud.modules.health_code.jobs.colours import follow_rules
from citizen_cloud.modules.health_code.jobs.rules import run_trials
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.queries.trials import latest_trial, run_of
from citizen_cloud.modules.health_code.queries.versions import version_at
from citizen_cloud.modules.health_code.rules.profiles import PROFILES
from citizen_cloud.modules.health_code.rules.trials import (
    TooManyFlips,
    Trial,
    TrialMissing,
    approvals_for,
    check_trial,
)
from citizen_cloud.modules.health_code.rules.versions import VersionFault, read_version
from citizen_cloud.modules.health_code.services.colours import refolding
from citizen_cloud.modules.health_code.services.colours.activating import activate, check_activation
from citizen_cloud.modules.health_code.services.colours.events import append
from citizen_cloud.modules.health_code.services.colours.refolding import follow_version, recompute
from citizen_cloud.modules.health_code.services.colours.trials import advance_trial, start_trial
from citizen_cloud.modules.health_code.services.colours.versions import Draft, draft

ROOT = "/api/v1/health-code/rule-versions"


def changed(profile="a", **edits):
    """Return a profile's rules with some of them edited: rule id → members."""
    rules = copy.deepcopy(PROFILES[profile])
    for rule in rules["rules"]:
        rule.update(edits.get(rule["id"], {}))
    return rules


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_that_come_along_are_right(profile):
    assert read_version(1, profile, PROFILES[profile]).profile == profile


def edit(path, value):
    rules = copy.deepcopy(PROFILES["b"])
    *way, last = path
    place = rules
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return rules


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        (("fever_c",), "37.3", "/fever_c"),
        (("fever_c",), True, "/fever_c"),
        (("fever_c",), 20, "/fever_c"),
        (("green", "valid_days"), 0, "/green/valid_days"),
        (("green", "needs"), "money", "/green/needs"),
        (("green", "also"), 1, "/green/also"),
        (("rules",), [], "/rules"),
        (("rules", 0, "colour"), "green", "/rules/0/colour"),
        (("rules", 0, "colour"), "black", "/rules/0/colour"),
        (("rules", 0, "id"), "close_contact", "/rules/1/id"),
        (("rules", 0, "id"), "Positive Test", "/rules/0/id"),
        (("rules", 0, "text", "en"), ..., "/rules/0/text/en"),
        (("rules", 0, "text", "zh"), "", "/rules/0/text/zh"),
        (("rules", 0, "when"), {"on": "petition"}, "/rules/0/when/on"),
        (("rules", 0, "when"), {"on": ["trip"]}, "/rules/0/when/on"),
        (("rules", 0, "text", "zh"), "红\u202e码", "/rules/0/text/zh"),
        (("rules", 0, "when"), {"on": "contact", "who": ["x"]}, "/rules/0/when/who"),
        (("rules", 0, "when", "results"), ["maybe"], "/rules/0/when/results/0"),
        (("rules", 0, "ends"), {"by": "given"}, "/rules/0/ends/by"),
        (("rules", 0, "ends", "days"), 400, "/rules/0/ends/days"),
        (("rules", 5, "when", "areas"), ["42010"], "/rules/5/when/areas/0"),
        (("rules", 6, "ends"), {"by": "days", "days": 3}, "/rules/6/ends/by"),
        (("rules", 8, "when", "rule"), "after_positive_test", "/rules/8/when/rule"),
        (("green", "valid_days"), None, "/rules/10/when/on"),
    ],
)
def test_a_version_that_says_more_or_less_than_it_may_is_refused(path, value, pointer):
    with pytest.raises(VersionFault) as refused:
        read_version(2, "b", edit(path, value))
    assert refused.value.pointer == pointer


def planted(session):
    """Return three groups: well, ill, exposed; by the size of what a change would do to them."""
    made = {"well": 12, "ill": 5, "exposed": 3}
    found = {}
    for name, size in made.items():
        found[name] = [_person(session) for _ in range(size)]
    append(session, [declared(one) for group in found.values() for one in group])
    append(session, [declared(one, said=ILL) for one in found["ill"]])
    append(session, [reported(one, "exposure", **{"class": "venue"}) for one in found["exposed"]])
    return found


def _person(session):
    person_id = new_id()
    session.execute(
        text(
            "INSERT INTO accounts.person (id, document_type, verified_by, verified_at) "
            "VALUES (:id, 'resident_id', 'test', statement_timestamp())"
        ),
        {"id": person_id},
    )
    return person_id


def tried(session, rules, expected=(), *, by=None, profile="a", most=7):
    """Draft a version, run its trial to the end in small batches, return its number and run."""
    by = by or people.admin(session=session).account_id
    new = Draft(profile=profile, rules=rules, expected=expected)
    version = draft(session, new=new, created_by=by)
    run = start_trial(session, version_id=version["id"], started_by=by)
    while advance_trial(session, most=most):
        pass
    return version["number"], run_of(session, run["id"])


def test_a_trial_reports_exactly_the_planted_differences_and_touches_nobody(session):
    groups = planted(session)
    before = session.execute(text("SELECT * FROM health_code.standing ORDER BY 1")).all()
    rules = changed(
        symptoms={"colour": "red"}, exposure={"when": {"on": "exposure", "classes": ["close"]}}
    )
    number, run = tried(session, rules, [{"from": "yellow", "to": "red"}])
    assert run["flips"] == {"yellow>red": 5, "yellow>green": 3}
    assert (run["total"], run["looked_at"], run["unchanged"], run["unexpected"]) == (20, 20, 12, 3)
    flips = session.execute(
        text("SELECT person_id, after FROM health_code.shadow_flip WHERE run_id = :r"),
        {"r": run["id"]},
    ).all()
    assert {row.person_id for row in flips if row.after == "red"} == set(groups["ill"])
    assert {row.person_id for row in flips if row.after == "green"} == set(groups["exposed"])
    assert session.execute(text("SELECT * FROM health_code.standing ORDER BY 1")).all() == before
    assert latest_trial(session, number).unexpected == 3


def test_the_same_rules_again_change_nobody(session):
    planted(session)
    _, run = tried(session, PROFILES["a"])
    assert (run["flips"], run["unexpected"]) == ({}, 0)


def activation(number, *, by, session):
    return approvals_world.proposed(
        "health_code.activate_rules", {"number": number}, reason="policy", by=by, session=session
    )


def test_rules_count_once_two_authorities_agree_and_everybody_follows_in_batches(app, session):
    groups = planted(session)
    admin = people.admin(session=session)
    approvers = approvals_world.approvers(3, session=session)
    flips = [{"from": "yellow", "to": "red"}]
    number, _ = tried(session, changed(symptoms={"colour": "red"}), flips, by=admin.account_id)
    proposal = activation(number, by=admin, session=session)
    one = groups["ill"][0]
    # A quarter of the city gets worse: three have to agree.
    approvals_world.agree(proposal, approvers[:2], session=session)
    assert standing_of(session, one).colour == "yellow"
    approvals_world.agree(proposal, approvers[2:], session=session)
    assert approvals_world.state(proposal, session=session) == "applied"
    shown = standing_of(session, one)
    assert (shown.colour, shown.rule_version, shown.is_due) == ("red", number, True)
    batches = 0
    while follow_version(session, most=6):
        batches += 1
    assert batches == 4
    assert not standing_of(session, one).is_due
    assert standings_wrong(session) == []
    assert version_at(session, clock.now() - timedelta(days=1)).number == 1


def test_who_is_behind_is_found_by_the_index_even_if_everybody_is(session):
    for _ in range(3):
        planted(session)
    session.execute(
        text(
            "INSERT INTO accounts.person (id, document_type, verified_by, verified_at) "
            "SELECT uuidv7(), 'resident_id', 'test', now() FROM generate_series(1, 20000)"
        )
    )
    session.execute(
        text(
            "INSERT INTO health_code.standing (person_id, rule_version) "
            "SELECT id, 1 FROM accounts.person ON CONFLICT DO NOTHING"
        )
    )
    plan = session.execute(
        text(f"EXPLAIN {refolding._BEHIND.text}"), {"number": 2, "most": 500}
    ).scalars()
    assert "Seq Scan" not in "".join(plan)


def test_without_a_trial_or_with_surprises_nothing_can_even_be_proposed(app, session):
    planted(session)
    admin = people.admin(session=session)
    made = draft(session, new=Draft(profile="a", rules=PROFILES["a"]), created_by=admin.account_id)
    for number, refused in (
        (made["number"], TrialMissing),
        (tried(session, changed(symptoms={"colour": "red"}))[0], TooManyFlips),
    ):
        with pytest.raises(refused), session.begin_nested():
            activation(number, by=admin, session=session)


NOW = clock.now()
TRIAL = Trial(against=1, at=NOW, looked_at=1_000_000, unexpected=100, flips={"green>yellow": 100})
FACTS = {"live": 1, "people": 1_000_000, "most_ppm": 100, "now": NOW}


@pytest.mark.parametrize(
    ("facts", "refused"),
    [
        ({}, None),
        ({"people": 1_010_000}, None),
        ({"people": 1_020_000}, TrialMissing),
        ({"live": 2}, TrialMissing),
        ({"now": NOW + timedelta(hours=25)}, TrialMissing),
        ({"most_ppm": 99}, TooManyFlips),
    ],
)
def test_a_trial_lets_rules_pass_only_while_it_says_what_would_happen(facts, refused):
    if refused is None:
        assert check_trial(TRIAL, **FACTS | facts) is TRIAL
        return
    with pytest.raises(refused):
        check_trial(TRIAL, **FACTS | facts)
    with pytest.raises(TrialMissing):
        check_trial(None, **FACTS)


def test_what_is_worse_for_many_needs_a_third_authority():
    assert approvals_for(TRIAL) == 2
    worse = {**{name: getattr(TRIAL, name) for name in ("against", "at", "looked_at")}}
    assert approvals_for(Trial(**worse, unexpected=0, flips={"green>red": 10_001})) == 3
    assert approvals_for(Trial(**worse, unexpected=0, flips={"red>green": 900_000})) == 2
    # No door opens to whoever has no colour any more.
    assert approvals_for(Trial(**worse, unexpected=0, flips={"green>none": 10_001})) == 3
    assert approvals_for(Trial(**worse, unexpected=0, flips={"red>none": 10_001})) == 2


def test_of_two_versions_agreed_to_at_once_only_one_counts(fresh_database):
    with db.transaction() as session:
        planted(session)
        # Either changes nobody's colour today.
        endings = [{"by": "check_ins", "days": days} for days in (8, 9)]
        numbers = [tried(session, changed(symptoms={"ends": one}))[0] for one in endings]
    checked, faults = threading.Barrier(2), []

    def put(number):
        proposal = Proposal(
            id=new_id(),
            kind="health_code.activate_rules",
            payload={"number": number},
            reason="policy",
            evidence_reference="1",
            proposed_by=None,
            unit_id=None,
            created_at=clock.now(),
        )
        try:
            with db.transaction() as session:
                check_activation(session, proposal, clock.now())
                checked.wait()
                activate(session, proposal, clock.now())
        except TrialMissing as fault:
            faults.append(fault)

    threads = [threading.Thread(target=put, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(faults) == 1
    with db.transaction() as session:
        versions = session.execute(text("SELECT status FROM health_code.rule_version"))
        assert sorted(versions.scalars()) == ["live", "retired", "shadow"]


def test_recomputing_everybody_mends_a_row_and_can_be_stopped(session):
    groups = planted(session)
    session.execute(text("UPDATE health_code.standing SET colour = 'green'"))
    assert standings_wrong(session)
    after = recompute(session, after=None, most=10)
    while after := recompute(session, after=after, most=10):
        pass
    assert standings_wrong(session) == []
    assert standing_of(session, groups["ill"][0]).colour == "yellow"


def test_rules_travel_through_the_doors_and_their_report_names_nobody(client, database):
    someone = coloured(people.citizen(), "yellow")
    admin, auditor = people.admin(), people.auditor()
    body = {"profile": "a", "rules": changed(symptoms={"colour": "red"}), "note": "试行"}
    made = client.post(ROOT, json=body, headers=admin.headers)
    assert made.status_code == 201, made.json
    assert client.get(made.headers["Location"], headers=auditor.headers).json["status"] == "draft"
    assert client.post(ROOT, json=body, headers=auditor.headers).status_code == 403
    begun = client.post(f"{ROOT}/{made.json['id']}/shadow-runs", headers=admin.headers)
    assert begun.status_code == 201, begun.json
    again = client.post(f"{ROOT}/{made.json['id']}/shadow-runs", headers=admin.headers)
    assert again.json["code"] == "shadow_run_running"
    run_trials(clock.now())
    report = client.get(begun.headers["Location"], headers=auditor.headers)
    assert report.json["status"] == "finished"
    assert report.json["flips"] == [
        {"from": "yellow", "to": "red", "count": 1, "is_expected": False}
    ]
    assert len(report.json["sample"]) == 1
    assert str(someone.person_id) not in report.text
    wrong = {**body, "rules": {**body["rules"], "fever_c": 60}}
    refused = client.post(ROOT, json=wrong, headers=admin.headers)
    assert refused.json["errors"][0]["pointer"] == "/rules/fever_c"
    assert client.get("/api/v1/open/health-code/rules").json["number"] == 1
    assert follow_rules(clock.now()) == 0
    assert UUID(made.json["id"])


def test_an_administrator_proposes_rules_through_the_door_and_alone_changes_nothing(client):
    someone, admin = coloured(people.citizen(), "yellow"), people.admin()
    body = {
        "profile": "a",
        "rules": changed(symptoms={"colour": "red"}),
        "expected": [{"from": "yellow", "to": "red"}],
    }
    made = client.post(ROOT, json=body, headers=admin.headers).json
    asked = {
        "kind": "health_code.activate_rules",
        "payload": {"number": made["number"]},
        "reason": "policy",
        "evidence_reference": "省指〔2026〕12号",
    }
    people.somebody(admin)
    untried = client.post("/api/v1/approvals", json=asked, headers=admin.headers)
    assert untried.json["code"] == "shadow_run_missing"
    client.post(f"{ROOT}/{made['id']}/shadow-runs", headers=admin.headers)
    run_trials(clock.now())
    proposed = client.post("/api/v1/approvals", json=asked, headers=admin.headers)
    assert proposed.status_code == 201, proposed.json
    status = client.get("/api/v1/health-code/status", headers=someone.headers).json
    assert status["colour"] == "yellow"
    approvals_world.agree(UUID(proposed.json["id"]), approvals_world.approvers(3))
    status = client.get("/api/v1/health-code/status", headers=someone.headers).json
    assert status["colour"] == "red"


def test_the_command_exits_with_what_differs(database, monkeypatch):
    someone = coloured(people.citizen(), "yellow")
    monkeypatch.setattr(cli, "_connect", lambda: None)
    monkeypatch.setattr(cli, "_one_state", lambda _: None)
    runner = CliRunner()
    assert runner.invoke(cli.command, ["check"]).exit_code == 0
    with db.transaction() as session:
        session.execute(text("UPDATE health_code.standing SET colour = 'green'"))
    found = runner.invoke(cli.command, ["check"])
    assert found.exit_code == 1
    assert str(someone.person_id) in found.output
    assert "done" in runner.invoke(cli.command, ["recompute"]).output
    assert runner.invoke(cli.command, ["check"]).output == "0 differences\n"
