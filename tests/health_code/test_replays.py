"""One code twice: the later by the clocks is the replay, in whatever order it is told."""

from datetime import timedelta

import health_world
import people
import places_world
import pytest
from family_world import Statements, rows, run
from inspector_world import Post, check, offline, post, upload
from showing_world import credential, ready
from showing_world import send as ask

from citizen_cloud import clock, db
from citizen_cloud.credentials.compact import pack
from citizen_cloud.credentials.services import issue_held
from citizen_cloud.modules.health_code.jobs.scans import find_replays

AUDIT = "/api/v1/health-code/audit/replays"
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def phones(client):
    """Return a showing of a phone, good a moment ago and now."""
    me, phone = ready(client)
    return phone.show(credential(client, me, phone), clock.now() - SECOND)


def thin(client):
    me = health_world.coloured(people.citizen(), "green")
    return ask(client, "GET", "/code", me).json["code"]


def paper():
    """Return a paper that was given an hour ago."""
    me = health_world.coloured(people.citizen(), "green")
    with db.transaction() as session:
        held = issue_held(
            session,
            type="hp",
            holder_id=me.person_id,
            colour="green",
            expires_at=None,
            name="王*",
            now=clock.now() - timedelta(hours=1),
        )
    return pack(held.jws)


def district(area_code):
    """Return an inspector at a place of a district."""
    organisation_id = people.pharmacy()
    place_id = places_world.place(organisation_id, area_code=area_code)
    return Post(organisation_id, people.staff(organisation_id), place_id)


def said(client, gate, *scans):
    return [one["outcome"] for one in upload(client, gate.someone, *scans)["items"]]


def at(gate, code, ago, **facts):
    return offline(code, at=clock.now() - ago, place_id=gate.place_id, **facts)


def found():
    """Return what was found, and what was answered at that door, in the order of the scans."""
    return rows(
        "SELECT finding, outcome FROM health_code.scan WHERE finding IS NOT NULL "
        "ORDER BY scanned_at"
    )


def seen_by_auditor(client):
    answer = client.get(AUDIT, headers=people.auditor().headers)
    assert answer.status_code == 200, answer.json
    return answer.json["items"]


@pytest.mark.parametrize("draw", [phones, thin])
def test_two_gates_that_were_alone_let_one_code_in_and_the_later_is_told(client, draw):
    code, first, second = draw(client), post(), post()
    early, late = at(first, code, 3 * SECOND), at(second, code, SECOND)
    assert said(client, first, early) == ["valid"]
    answer = upload(client, second.someone, late)
    assert (answer["items"][0]["outcome"], answer["conflicts"]) == ("replayed", 1)
    assert found() == [("replayed", "replayed")]


@pytest.mark.parametrize("draw", [phones, thin])
def test_the_later_is_the_replay_also_where_it_was_told_first(client, draw):
    code, first, second = draw(client), post(), post()
    early, late = at(first, code, 3 * SECOND), at(second, code, SECOND)
    assert said(client, second, late) == ["valid"]
    assert said(client, first, early) == ["valid"]
    # What was answered stays; what is known of it by now is beside it.
    assert found() == [("replayed", "valid")]
    (again,) = upload(client, second.someone, late)["items"]
    assert (again["outcome"], again["replayed"]) == ("valid", True)
    assert said(client, post(), at(post(), code, 2 * SECOND)) != ["valid"]
    (item,) = seen_by_auditor(client)
    assert (item["what"], item["is_let_in"]) == ("replayed", True)
    assert item["place_id"] == str(second.place_id)
    assert item["first_place_id"] == str(first.place_id)
    assert item["first_organisation_id"] == str(first.organisation_id)


@pytest.mark.parametrize("draw", [phones, thin])
def test_within_one_upload_the_later_is_the_replay_wherever_it_stands(client, draw):
    code, gate = draw(client), post()
    late, early = at(gate, code, SECOND), at(gate, code, 3 * SECOND)
    assert said(client, gate, late, early) == ["replayed", "valid"]
    assert said(client, gate, early, late) == ["valid", "replayed"]
    assert found() == [("replayed", "replayed")]


def test_of_two_at_one_instant_the_one_that_was_sent_first_passes(client):
    code, gate = thin(client), post()
    when = clock.now() - SECOND
    scans = [offline(code, at=when, place_id=gate.place_id, scan_id=one) for one in ("b", "c", "a")]
    assert said(client, gate, *scans) == ["valid", "replayed", "replayed"]


def test_a_door_that_was_online_is_told_of_a_gate_that_was_earlier(client):
    code, gate, door = thin(client), post(), post()
    first = check(client, door.someone, code, scan_id="s-1", place_id=door.place_id)
    assert first["outcome"] == "valid"
    assert said(client, gate, at(gate, code, 2 * SECOND)) == ["valid"]
    again = check(client, door.someone, code, scan_id="s-1", place_id=door.place_id)
    assert again == {**first, "replayed": True}
    assert found() == [("replayed", "valid")]
    # A third is behind both.
    assert check(client, post().someone, code)["outcome"] == "replayed"


def test_a_gate_that_was_later_than_the_door_let_in_a_replay(client):
    code, gate, door = thin(client), post(), post()
    assert check(client, door.someone, code)["outcome"] == "valid"
    assert said(client, gate, at(gate, code, -SECOND)) == ["replayed"]


def test_what_a_door_refused_as_shown_elsewhere_is_seen_by_auditors(client):
    code, gate = thin(client), post()
    assert check(client, gate.someone, code)["outcome"] == "valid"
    # Twice at one door is a nervous thumb.
    assert check(client, gate.someone, code)["outcome"] == "replayed"
    assert find_replays(clock.now()) == 0
    elsewhere = check(client, post().someone, code)
    assert elsewhere["outcome"] == "replayed"
    # Nobody is told that he was here before, or to wait: the next code is drawn at once.
    assert "another door" in elsewhere["reason"]["en"]
    assert (find_replays(clock.now()), find_replays(clock.now())) == (1, 0)
    assert [(one["what"], one["is_let_in"]) for one in seen_by_auditor(client)] == [
        ("replayed", False)
    ]


def test_paper_is_shown_all_day_but_not_twice_at_one_gate_within_two_minutes(client):
    code, gate = paper(), post()
    scans = [at(gate, code, ago * MINUTE) for ago in (10, 9, 7)]
    assert said(client, gate, *reversed(scans)) == ["valid", "replayed", "valid"]
    assert said(client, gate, at(gate, code, 11 * MINUTE)) == ["valid"]
    assert find_replays(clock.now()) == 0
    assert [one for one, _ in found()] == ["replayed", "replayed"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_gate_that_let_nobody_in_uses_no_code_up(client, order):
    """Its list was too old; the next gate let the person in by the code that was still good."""
    code, stale, good = thin(client), post(), post()
    refused, again = (at(stale, code, ago * SECOND, said="stale_status") for ago in (3, 2))
    told = [(stale, refused), (good, at(good, code, SECOND))]
    assert [said(client, gate, one) for gate, one in told[::order]] == [["valid"], ["valid"]]
    assert said(client, stale, again, refused) == ["valid", "valid"]
    assert found() == []
    assert check(client, post().someone, code)["outcome"] == "replayed"


def test_what_was_found_to_be_a_replay_makes_none_of_the_next(client):
    code, gate = paper(), post()
    for ago in (8.5, 10, 7):
        assert said(client, gate, at(gate, code, ago * MINUTE)) == ["valid"]
    assert len(found()) == 1


def test_a_gate_whose_clock_is_ahead_gains_nothing_by_it(client):
    code, gate = paper(), post()
    assert said(client, gate, at(gate, code, -5 * MINUTE)) == ["valid"]
    assert said(client, gate, at(gate, code, -6 * MINUTE)) == ["replayed"]


def test_paper_comes_again_to_a_door_after_two_minutes(client):
    code, gate = paper(), post()
    asked = {"place_id": gate.place_id}
    assert check(client, gate.someone, code, **asked)["outcome"] == "valid"
    assert check(client, gate.someone, code, **asked)["outcome"] == "replayed"
    run("UPDATE health_code.scan SET scanned_at = scanned_at - interval '121 seconds'")
    assert check(client, gate.someone, code, **asked)["outcome"] == "valid"


@pytest.mark.parametrize(
    ("areas", "apart", "is_told"),
    [
        (("210202", "210203"), 4 * MINUTE, True),
        (("210202", "210203"), 6 * MINUTE, False),
        (("210202", "210202"), 20 * SECOND, True),
        (("210202", "210202"), MINUTE, False),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_two_of_one_paper_are_told_to_auditors_and_never_refused(
    client, areas, apart, is_told, order
):
    code, (first, second) = paper(), map(district, areas)
    told = [(first, at(first, code, 10 * MINUTE)), (second, at(second, code, 10 * MINUTE - apart))]
    assert [said(client, gate, scan) for gate, scan in told[::order]] == [["valid"], ["valid"]]
    find_replays(clock.now())
    assert found() == ([("cloned", "valid")] if is_told else [])
    for item in seen_by_auditor(client):
        assert (item["source"], item["is_let_in"]) == ("paper", True)
        assert (item["place_id"], item["first_place_id"]) == (
            str(second.place_id),
            str(first.place_id),
        )


def test_two_guards_at_one_door_are_no_two_papers(client):
    code, gate = paper(), post()
    colleague = Post(gate.organisation_id, people.staff(gate.organisation_id), gate.place_id)
    assert check(client, gate.someone, code, place_id=gate.place_id)["outcome"] == "valid"
    assert check(client, colleague.someone, code, place_id=gate.place_id)["outcome"] == "valid"
    assert find_replays(clock.now()) == 0


def test_a_finding_does_not_say_whose_code_it_was(client):
    me = health_world.coloured(people.citizen(), "green")
    code = ask(client, "GET", "/code", me).json["code"]
    for gate in (post(), post()):
        upload(client, gate.someone, at(gate, code, SECOND))
    ((row,),) = rows("SELECT to_jsonb(s) FROM health_code.scan s WHERE finding IS NOT NULL")
    (item,) = seen_by_auditor(client)
    for told in (str(row), str(item)):
        assert str(me.person_id) not in told
        assert str(me.account_id) not in told
    # Nor the row that a look at the person is noted with.
    notes = {str(one) for (one,) in rows("SELECT basis_id FROM accounts.data_access")}
    assert item["id"] not in notes


def test_many_that_overtake_cost_as_many_statements_as_one(client, database):
    def told(count):
        codes = [thin(client) for _ in range(count)]
        late, early = post(), post()
        upload(client, late.someone, *(at(late, one, SECOND) for one in codes))
        with Statements(database.connection) as seen:
            scans = [at(early, one, 3 * SECOND) for one in codes]
            assert said(client, early, *scans) == ["valid"] * count
        return len(seen)

    assert told(1) == told(5)
    assert len(found()) == 6
