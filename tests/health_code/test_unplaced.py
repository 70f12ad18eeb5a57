"""A source learns of wrong rows, and never whether somebody lives here."""

import json
import re
from datetime import timedelta

import approvals_world
import people
import power_world as world
import pytest
from family_world import Statements

from citizen_cloud import clock, db
from citizen_cloud.accounts.services.real_name import Claim, holder_of
from citizen_cloud.manifest import Subject
from citizen_cloud.modules.health_code.jobs import reports
from citizen_cloud.modules.health_code.jobs.reports import HANDLERS, match_unplaced
from citizen_cloud.modules.health_code.services.holdings.unplaced import HOLDING
from citizen_cloud.modules.health_code.services.reports import placing

# Ids and instants.
MADE_UP = re.compile(rb'"([0-9a-f]{8}-[0-9a-f-]{27}|20[0-9]{2}-[0-9T:.Z+-]+)"')


@pytest.fixture
def source(client):
    return world.source(client)


def about(number, **more):
    """Return a row about a document nobody here need have."""
    return {**world.row(people.citizen()), "document_number": number, **more}


def kept():
    return world.value("SELECT count(*) FROM health_code.unplaced")


def registered(number, name=world.NAME):
    """Let the person of a document come; return the id."""
    with db.transaction() as session:
        claim = Claim(document_type="resident_id", number=number, name=name)
        return holder_of(session, claim=claim, verified_by="test")


def events(person_id):
    sql = "SELECT kind FROM health_code.event WHERE person_id = :p"
    return [kind for (kind,) in world.rows(sql, p=person_id)]


def answers(client, source, rows, database, monkeypatch):
    """Return the bytes of every answer a source gets, without ids and instants, and the SQL."""
    with monkeypatch.context() as patched:
        # What the door does is seen before anything else happens.
        patched.setattr(world, "place", lambda: None)
        with Statements(database.connection) as seen:
            sent = world.report(client, source, rows, reference="b-1")
    path = f"/api/v1/health-code/events/batches/{sent.json['id']}"
    early = client.get(path, headers=source.headers)
    world.place()
    # That it was applied by now is not told before everybody's minute is over.
    applied = client.get(path, headers=source.headers)
    assert applied.data == early.data
    world.change(
        "UPDATE health_code.batch SET received_at = received_at - interval '1 minute'"
        " WHERE id = :id",
        id=sent.json["id"],
    )
    late = client.get(path, headers=source.headers)
    for answer in (sent, early, late):
        assert answer.json["accepted"] == answer.json["rows_in"] == len(rows)
    told = [(one.status_code, MADE_UP.sub(b"", one.data)) for one in (sent, early, late)]
    assert (sent.json["status"], late.json["status"]) in {
        ("received", "applied"),
        ("waiting", "waiting"),
    }
    return told, list(seen)


@pytest.mark.parametrize("cap", [100, 1])
def test_known_and_unknown_people_get_the_same_answers_by_the_same_statements(
    client, app, database, monkeypatch, cap
):
    crowd = [people.citizen() for _ in range(3)]
    told = []
    for rows in (
        [world.row(one) for one in crowd],
        [about(people.document()) for _ in crowd],
        [world.row(one, name="李四光") for one in crowd],
    ):
        made = world.source(client, cap=cap)
        told.append(answers(client, made, rows, database, monkeypatch))
    assert told[0] == told[1] == told[2]
    assert b"unknown" not in told[0][0][2][1]


def test_auditors_alone_see_how_many_named_nobody(client, source):
    someone = people.citizen()
    rows = [world.row(someone), about(people.document()), world.row(someone, name="李四光")]
    answer = world.report(client, source, rows)
    assert "unplaced" not in answer.json
    (seen,) = client.get(
        "/api/v1/health-code/audit/batches", headers=people.auditor().headers
    ).json["items"]
    assert (seen["accepted"], seen["unplaced"], seen["status"]) == (3, 2, "applied")
    assert world.colour(someone) == "red"


def test_what_was_reported_before_the_person_came_is_found_when_he_comes(client, source):
    number = people.document()
    made = world.report(client, source, [about(number)])
    assert (match_unplaced(clock.now()), kept()) == (0, 1)
    person_id = registered(number)
    assert (match_unplaced(clock.now()), kept()) == (1, 0)
    ((batch_id, colour),) = world.rows(
        "SELECT e.batch_id, s.colour FROM health_code.event e "
        "JOIN health_code.standing s USING (person_id) WHERE person_id = :p",
        p=person_id,
    )
    assert (str(batch_id), colour) == (made.json["id"], "red")
    assert (match_unplaced(clock.now()), events(person_id)) == (0, ["test_result"])


def test_the_document_under_another_name_is_nobodys(client, source):
    number = people.document()
    world.report(client, source, [about(number, name="李四光")])
    person_id = registered(number)
    assert (match_unplaced(clock.now()), kept(), events(person_id)) == (1, 0, [])


def test_a_retired_source_says_nothing_more_of_who_comes_later(client, source):
    number = people.document()
    world.report(client, source, [about(number)])
    world.change(
        "UPDATE health_code.source SET status = 'retired', retired_at = now(), retired_in = id"
    )
    person_id = registered(number)
    assert (match_unplaced(clock.now()), events(person_id)) == (0, [])


def test_what_names_nobody_is_kept_sealed_without_name_and_number_for_fourteen_days(client, source):
    row = about(people.document(), name="欧阳文忠")
    world.report(client, source, [row])
    ((fact_id, sealed),) = world.rows("SELECT id, fact_sealed FROM health_code.unplaced")
    assert b"LAB-2026-0412" not in bytes(sealed)
    # Nor does it name anybody to whoever holds the key.
    inside = json.dumps(placing.fact_of(fact_id, bytes(sealed)).as_json(), ensure_ascii=False)
    assert row["document_number"] not in inside
    assert row["name"] not in inside
    for days, left in ((13.9, 1), (14.1, 0)):
        with db.transaction() as session:
            placing.forget(session, now=clock.now() + timedelta(days=days))
        assert kept() == left


def test_whoever_is_erased_is_forgotten_here_as_well(client, source):
    number = people.document()
    world.report(client, source, [about(number), about(people.document())])
    person_id = registered(number)
    subject = Subject(account_id=people.new_id(), person_id=person_id)
    with db.transaction() as session:
        (fact,) = HOLDING.export(session, subject)["reported"]
        assert (fact["kind"], fact["reference"]) == ("test_result", "LAB-2026-0412")
        assert HOLDING.erase(session, subject, clock.now()) == 1
    assert kept() == 1


def test_a_batch_two_agreed_to_keeps_aside_as_well_and_names_the_approval(client, app):
    source = world.source(client, cap=1)
    someone, number = people.citizen(), people.document()
    made = world.report(client, source, [world.row(someone), about(number)])
    assert made.status_code == 202
    proposal_id = world.value("SELECT proposal_id FROM health_code.batch")
    for approver in approvals_world.approvers():
        world.decide(client, approver, proposal_id)
    assert (world.colour(someone), kept()) == ("red", 1)
    person_id = registered(number)
    match_unplaced(clock.now())
    sql = "SELECT approval_id FROM health_code.event WHERE person_id = :p"
    assert world.value(sql, p=person_id) == proposal_id


def test_the_news_of_a_batch_is_what_applies_it_and_only_once(client, source, monkeypatch):
    monkeypatch.setattr(world, "place", lambda: None)
    someone = people.citizen()
    world.report(client, source, [world.row(someone)])
    assert world.colour(someone) == "none"
    for _ in range(2):
        world.dispatch({name: [handler] for name, handler in HANDLERS.items()})
    assert (world.colour(someone), len(world.events(someone))) == ("red", 1)
    world.change("UPDATE jobs.outbox SET done_at = NULL, due_at = now()")
    world.dispatch({name: [handler] for name, handler in HANDLERS.items()})
    assert len(world.events(someone)) == 1


def test_a_batch_whose_news_nobody_handled_is_applied_all_the_same(client, source, monkeypatch):
    """A worker without the module, or of the version before, hears the news and does nothing."""
    monkeypatch.setattr(world, "place", lambda: None)
    people_here = [people.citizen() for _ in range(2)]
    broken = world.report(client, source, [world.row(people.citizen())])
    for someone in people_here:
        world.report(client, source, [world.row(someone)])
    assert world.dispatch({}) >= 3
    assert reports.place_left(clock.now()) == 0
    world.change("UPDATE health_code.batch SET received_at = now() - interval '2 minutes'")
    world.change(
        "UPDATE health_code.batch SET rows_sealed = 'x' WHERE id = :id", id=broken.json["id"]
    )
    # What cannot be opened keeps nobody else waiting.
    assert reports.place_left(clock.now()) == 2
    assert reports.place_left(clock.now()) == 0
    for someone in people_here:
        assert (world.colour(someone), len(world.events(someone))) == ("red", 1)


def test_a_closed_authority_says_nothing_more_of_who_comes_later(client, source):
    number = people.document()
    world.report(client, source, [about(number)])
    world.change(
        "UPDATE organisations.organisation SET status = 'closed' WHERE id IN"
        " (SELECT unit_id FROM health_code.source)"
    )
    person_id = registered(number)
    assert (match_unplaced(clock.now()), events(person_id)) == (0, [])
