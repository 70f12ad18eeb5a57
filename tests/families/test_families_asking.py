"""Asking to act for somebody: limits, refusals, and that the answer tells nothing."""

from datetime import timedelta

import family_world as world
import people
import pytest
from family_world import ask, refusal

from citizen_cloud import clock
from citizen_cloud.accounts import verifier
from citizen_cloud.families import jobs


@pytest.fixture
def me(app):
    return people.citizen(name="李四光")


def test_a_request_is_pending_and_shows_no_person(client, me):
    answer = ask(client, me, people.document(), scopes=["messages", "masks", "masks"])
    assert answer.status_code == 202, answer.json
    assert answer.json["status"] == "pending"
    assert answer.json["person_id"] is None
    assert answer.json["name"] == "王*明"
    assert answer.json["scopes"] == ["masks", "messages"]
    assert world.dependants_of(client, me) == [answer.json]


def bodies(answer):
    told_by_asker = ("id", "requested_at", "answer_by")
    return {k: v for k, v in answer.json.items() if k not in told_by_asker}


def everybody(client):
    """Return documents of people of every kind, and names that are theirs or not."""
    known, other = people.citizen(), people.citizen()
    closed = people.citizen()
    world.run("UPDATE accounts.account SET status = 'closed' WHERE id = :a", a=closed.account_id)
    return [
        (people.document(), "王小明"),
        (known.document_number, "王小明"),
        (other.document_number, "赵无极"),
        (closed.document_number, "王小明"),
    ]


def test_nobody_learns_by_asking_whether_a_person_exists(client, me, database):
    """Known, unknown, under another name, without account: one body, the same statements."""
    seen, answers = [], []
    for number, name in everybody(client):
        with world.Statements(database.connection) as statements:
            answers.append(ask(client, me, number, name=name))
        seen.append([sql for sql in statements if "idle_expires_at" not in sql])
    assert {answer.status_code for answer in answers} == {202}
    shown = [{**bodies(answer), "name": "-"} for answer in answers]
    assert shown == shown[:1] * len(shown)
    assert {tuple(sorted(answer.headers.keys())) for answer in answers} == {
        tuple(sorted(answers[0].headers.keys()))
    }
    assert seen == seen[:1] * len(seen)


def test_a_pair_of_name_and_document_that_do_not_belong_together_tells_nothing_either(
    client, me, monkeypatch
):
    class Knows:
        name = "test"

        def matches(self, *, document_type, number, name):
            return name == "王小明"

    person = people.citizen()
    before = list(verifier._current)
    verifier.install(Knows())
    try:
        wrong = ask(client, me, person.document_number, name="赵无极")
        right = ask(client, me, people.document())
    finally:
        verifier.install(before[0])
    assert wrong.status_code == right.status_code == 202
    assert {**bodies(wrong), "name": "-"} == {**bodies(right), "name": "-"}
    world.deliver()
    assert world.requests_of(client, person) == []
    assert world.inbox(person) == []
    assert refusal(world.decide(client, person, wrong.json["id"])) == (404, "not_found")


def test_a_request_by_another_name_is_never_shown(client, me):
    """The verifier on a developer's machine believes everybody; what is known here does not."""
    person = people.citizen()
    asked = ask(client, me, person.document_number, name="赵无极")
    world.deliver()
    assert world.requests_of(client, person) == []
    assert refusal(world.decide(client, person, asked.json["id"])) == (404, "not_found")
    clerk = world.clerk()
    attested = world.attest(
        client, clerk, person.document_number, relation="adult", request_id=asked.json["id"]
    )
    assert refusal(attested) == (404, "not_found")


def test_knowing_name_and_number_opens_nothing_without_the_persons_yes(client, me):
    person = people.citizen()
    booked = people.booking(person, people.offer())
    ask(client, me, person.document_number)
    world.deliver()
    for path in ("/me/bookings", "/home", f"/bookings/{booked}", "/me/agenda", "/me/proxies"):
        answer = world.get(client, path, me, person.person_id)
        assert refusal(answer) == (403, "proxy_not_permitted")


def test_nobody_represents_himself(client, me):
    assert refusal(ask(client, me, me.document_number)) == (422, "proxy_self")


@pytest.mark.parametrize(
    ("birth", "relation"), [("20200101", "adult"), ("19900101", "child"), ("20200101", "elder")]
)
def test_relation_and_age_agree(client, me, birth, relation):
    answer = ask(client, me, people.document(birth), relation=relation)
    assert refusal(answer) == (422, "relation_mismatch")


def test_a_service_nobody_knows_is_named(client, me):
    answer = ask(client, me, people.document(), scopes=["masks", "telepathy"])
    assert refusal(answer) == (422, "invalid")
    assert answer.json["errors"][0]["pointer"] == "/scopes/1"


def test_a_document_of_no_form_is_refused_without_an_echo(client, me):
    answer = ask(client, me, "36042619910102009X")
    assert refusal(answer) == (422, "id_number_invalid")
    assert "36042619910102009X" not in answer.text


def test_asking_twice_is_refused_while_the_first_lies_open(client, me):
    number = people.document()
    ask(client, me, number)
    assert refusal(ask(client, me, number)) == (409, "already_linked")


def test_the_same_key_gives_the_same_request(client, me):
    body = {**world.shown(people.document()), "relation": "adult", "scopes": ["masks"]}
    headers = me.key("once")
    first = client.post("/api/v1/me/dependants", json=body, headers=headers)
    again = client.post("/api/v1/me/dependants", json=body, headers=headers)
    assert first.json == again.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(world.dependants_of(client, me)) == 1


def test_the_same_person_is_asked_for_three_times_a_month(client, me):
    person = people.citizen()
    for _ in range(3):
        asked = ask(client, me, person.document_number)
        world.decide(client, person, asked.json["id"], agreed=False)
    answer = ask(client, me, person.document_number)
    assert refusal(answer) == (429, "asked_too_often")
    assert int(answer.headers["Retry-After"]) > 0
    world.run("UPDATE families.link SET requested_at = requested_at - interval '31 days'")
    assert ask(client, me, person.document_number).status_code == 202


def test_ten_people_a_day_are_asked_for_at_most(client, me, fresh_limits):
    for _ in range(10):
        asked = ask(client, me, people.document())
        client.delete(f"/api/v1/me/dependants/{asked.json['id']}", headers=me.headers)
        fresh_limits()
    assert refusal(ask(client, me, people.document())) == (429, "asked_too_often")


def test_a_ninth_dependant_is_refused_open_requests_included(client, app):
    me = people.citizen()
    world.child_of(client, me)
    for _ in range(7):
        assert ask(client, me, people.document()).status_code == 202
    answer = ask(client, me, people.document())
    assert refusal(answer) == (409, "dependants_full")
    assert answer.json["most"] == 8


def test_two_people_do_not_act_for_each_other(client, me):
    other = people.citizen(name="李四光")
    mine = people.citizen()
    world.agreed(client, other, mine)
    answer = ask(client, mine, other.document_number, name="李四光")
    assert refusal(answer) == (409, "proxy_cycle")
    at_counter = world.clerk()
    by_clerk = client.post(
        "/api/v1/counter/links",
        json={
            "acting": world.shown(mine.document_number),
            "represented": world.shown(other.document_number, "李四光"),
            "relation": "adult",
            "scopes": ["masks"],
            "evidence_reference": "1",
        },
        headers=at_counter.headers,
    )
    assert refusal(by_clerk) == (409, "proxy_cycle")


def test_a_request_nobody_sees_does_not_stand_in_the_persons_way(client, me):
    """By a wrong name a stranger cannot keep the other from asking for him."""
    person = people.citizen()
    ask(client, me, person.document_number, name="赵无极")
    assert ask(client, person, me.document_number, name="李四光").status_code == 202


def test_the_old_sign_in_shows_its_factors_again_before_it_asks(client, me):
    world.run("UPDATE accounts.sign_in SET proved_at = proved_at - interval '6 minutes'")
    answer = ask(client, me, people.document())
    assert refusal(answer) == (401, "step_up_required")
    assert answer.json["max_age_s"] == 300


def test_level_one_asks_for_nobody(client):
    assert refusal(ask(client, people.citizen(1), people.document())) == (401, "step_up_required")


def test_a_request_nobody_answers_lapses_and_may_be_made_again(client, me):
    number = people.document()
    ask(client, me, number)
    world.run("UPDATE families.link SET answer_by = statement_timestamp()")
    assert world.dependants_of(client, me)[0]["status"] == "expired"
    again = ask(client, me, number)
    assert again.status_code == 202
    assert [one["status"] for one in world.dependants_of(client, me)] == ["pending", "expired"]


def test_who_registers_after_somebody_asked_finds_the_request(client, me):
    number = people.document()
    asked = ask(client, me, number)
    world.deliver()
    person = people.citizen(number=number)
    assert [one["id"] for one in world.requests_of(client, person)] == [asked.json["id"]]
    jobs.tidy(clock.now())
    bound = world.rows("SELECT represented_id FROM families.link")
    assert bound == [(person.person_id,)]


def test_the_job_tidies_what_is_over_and_forgets_what_is_old(client, me):
    ask(client, me, people.document())
    assert jobs.tidy(clock.now()) == 0
    later = clock.now() + timedelta(days=31)
    assert jobs.tidy(later) == 1
    assert world.rows("SELECT status FROM families.link") == [("expired",)]
    assert jobs.tidy(later + timedelta(days=184)) == 1
    assert world.rows("SELECT 1 FROM families.link") == []


def test_what_the_asker_typed_lies_sealed(client, me):
    number = people.document()
    ask(client, me, number)
    for table in ("families.link", "jobs.outbox", "audit.entry"):
        for (row,) in world.rows(f"SELECT to_jsonb(t)::text FROM {table} t"):
            assert number not in row
            assert "王小明" not in row


def test_a_grown_up_child_may_act_for_the_former_guardian(client, app):
    """Also before the job has tidied the link that ended with the birthday."""
    parent, number = people.citizen(), people.document("20070101")
    grown_up = people.citizen(number=number)
    world.agreed(client, parent, grown_up)
    world.run(
        "UPDATE families.link SET relation = 'child', agreed_by = 'guardian', "
        "expires_at = statement_timestamp()"
    )
    assert ask(client, grown_up, parent.document_number).status_code == 202
