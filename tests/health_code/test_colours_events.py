"""Events are appended, colours follow in the same transaction, and nothing rewrites them."""

import json
import threading
from datetime import timedelta
from uuid import uuid4

import approvals_world
import people
import pytest
from health_world import (
    ILL,
    WELL,
    agree,
    colour_of,
    coloured,
    declared,
    reported,
    say,
    standings_wrong,
)
from sqlalchemy import event as sa_event
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from citizen_cloud import clock, crypto, db
from citizen_cloud.clock import CITY
from citizen_cloud.db import new_id
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.jobs.services import secret_place
from citizen_cloud.manifest import Event
from citizen_cloud.modules.health_code.jobs import HANDLERS
from citizen_cloud.modules.health_code.jobs.colours import turn_colours
from citizen_cloud.modules.health_code.queries.standings import standing_of
from citizen_cloud.modules.health_code.rules.events import PayloadFault
from citizen_cloud.modules.health_code.services.colours import declaring
from citizen_cloud.modules.health_code.services.colours.auditing import differences
from citizen_cloud.modules.health_code.services.colours.events import NewEvent, append
from citizen_cloud.modules.health_code.services.colours.refolding import settle
from citizen_cloud.modules.health_code.services.colours.standings import COLOUR_CHANGED

NOON = clock.now().astimezone(CITY).replace(hour=12, minute=0, second=0, microsecond=0)


def rows(sql, **facts):
    with db.transaction() as session:
        return session.execute(text(sql), facts).all()


def person(session):
    """Return the id of a person nobody signs in as; cheap, for many."""
    person_id = new_id()
    session.execute(
        text(
            "INSERT INTO accounts.person (id, document_type, verified_by, verified_at) "
            "VALUES (:id, 'resident_id', 'test', statement_timestamp())"
        ),
        {"id": person_id},
    )
    return person_id


def secret_of(news):
    """Open what a row of the outbox says to its handler alone."""
    return json.loads(crypto.current().open(news.secret, place=secret_place(news.id)))


def by_hand(person_id, **facts):
    facts = {"approval_id": uuid4(), **facts}
    return NewEvent(
        person_id=person_id,
        kind="assigned",
        evidence="approval",
        payload={"colour": "red", "reason": "confirmed_case", "days": 3},
        source_kind="officer",
        **facts,
    )


def test_the_table_refuses_a_colour_given_by_nobody(session):
    someone = person(session)
    alone = (
        by_hand(someone, approval_id=None),
        NewEvent(
            person_id=someone,
            kind="withdrawn",
            evidence="approval",
            source_kind="officer",
            withdraws=uuid4(),
        ),
        NewEvent(
            person_id=someone,
            kind="test_result",
            evidence="laboratory",
            payload={"result": "positive"},
            source_kind="authority",
        ),
    )
    for event in alone:
        with pytest.raises(IntegrityError, match=r"by_hand|reported"), session.begin_nested():
            append(session, [event])
    assert append(session, [by_hand(someone)])[0].after == "red"


@pytest.mark.parametrize(
    ("kind", "payload", "source_kind"),
    [
        ("declared", {"symptoms": ["jealousy"], "contact_with_case": False}, "citizen"),
        ("declared", {**WELL, "name": "王小明"}, "citizen"),
        ("declared", {"symptoms": []}, "citizen"),
        ("declared", {**WELL, "temperature_c": 50}, "citizen"),
        ("test_result", {"result": "maybe"}, "authority"),
        ("assigned", {"colour": "red", "reason": "petition", "days": 3}, "officer"),
        ("assigned", {"colour": "green", "reason": "confirmed_case", "days": 3}, "officer"),
        ("assigned", {"colour": "red", "reason": "confirmed_case", "days": 90}, "officer"),
        ("trip", {"from_area": "Wuhan"}, "citizen"),
        ("declared", WELL, "officer"),
        ("test_result", {"result": "positive"}, "citizen"),
    ],
)
def test_what_is_in_no_closed_list_is_not_written(session, kind, payload, source_kind):
    event = NewEvent(
        person_id=person(session),
        kind=kind,
        evidence="survey",
        payload=dict(payload),
        source_kind=source_kind,
        batch_id=uuid4(),
        approval_id=uuid4(),
    )
    with pytest.raises(PayloadFault):
        append(session, [event])


def test_nobody_rewrites_what_was_said(session):
    someone = person(session)
    append(session, [declared(someone)])
    for act in (
        "UPDATE health_code.event SET payload = '{}'",
        "UPDATE health_code.event SET kind = 'trip'",
        "UPDATE health_code.rule_version SET rules = '{}'",
        "DELETE FROM health_code.rule_version",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text(act))


def test_what_lies_ahead_is_not_written(session):
    ahead = clock.now() + timedelta(minutes=5)
    with pytest.raises(IntegrityError, match="not_ahead"), session.begin_nested():
        append(session, [declared(person(session), at=ahead)])


def test_a_changed_colour_ends_the_codes_that_say_another(session):
    me = people.citizen(session=session)
    append(session, [declared(me.person_id)])
    jtis = {kind: _code(session, me.person_id, kind, "green") for kind in ("hc", "hp")}
    append(session, [reported(me.person_id)])
    state = _states(session, me.person_id)
    assert state[jtis["hc"]].revoked_at
    assert state[jtis["hp"]].suspended_at
    assert not state[jtis["hp"]].revoked_at
    wrong = session.scalar(text("SELECT id FROM health_code.event WHERE kind = 'test_result'"))
    back = NewEvent(
        person_id=me.person_id,
        kind="withdrawn",
        evidence="approval",
        source_kind="officer",
        approval_id=uuid4(),
        withdraws=wrong,
    )
    assert append(session, [back])[0].after == "green"
    assert not _states(session, me.person_id)[jtis["hp"]].suspended_at


def _code(session, holder, kind, colour):
    jti = uuid4()
    session.execute(
        text(
            "INSERT INTO credentials.credential (jti, type, subject_id, kid, issued_at, not_before, "
            "expires_at, holder_id, claims) VALUES (:jti, :type, :jti, 'c.1', now(), now(), "
            "now() + interval '1 day', :holder, jsonb_build_object('c', cast(:colour AS text)))"
        ),
        {"jti": jti, "type": kind, "holder": holder, "colour": colour},
    )
    return jti


def _states(session, holder):
    sql = text("SELECT * FROM credentials.credential WHERE holder_id = :h")
    return {row.jti: row for row in session.execute(sql, {"h": holder})}


def test_a_change_is_audited_under_the_event_and_the_person_told(client):
    me = coloured(people.citizen(), "yellow")
    acts = rows(
        "SELECT object_id, payload FROM audit.entry WHERE action = 'health_code.colour_changed' "
        "AND payload ->> 'person_id' = :p",
        p=str(me.person_id),
    )
    assert [act.payload["to"] for act in acts] == ["yellow"]
    assert acts[0].object_id != me.person_id
    news = rows(
        "SELECT id, payload, secret, created_at FROM jobs.outbox WHERE event = :e",
        e=COLOUR_CHANGED,
    )
    with db.transaction() as session:
        for _ in range(2):
            told = Event(
                id=news[-1].id,
                name=COLOUR_CHANGED,
                payload=news[-1].payload,
                secret=secret_of(news[-1]),
                created_at=news[-1].created_at,
            )
            HANDLERS[COLOUR_CHANGED](session, told, clock.now())
    inbox = client.get("/api/v1/me/messages", headers=me.headers).json["items"]
    (note,) = [one for one in inbox if one["kind"] == "health_code.colour"]
    assert "申诉" in note["body"]["zh"]
    assert "7天" in note["body"]["zh"]


def test_a_batch_takes_as_many_statements_as_one_event(session):
    counted = []

    def count(*_):
        counted[-1] += 1

    bind = session.connection()
    for size in (1, 300):
        someones = [person(session) for _ in range(size)]
        counted.append(0)
        sa_event.listen(bind, "before_cursor_execute", count)
        append(session, [reported(one) for one in someones])
        sa_event.remove(bind, "before_cursor_execute", count)
    assert counted[0] == counted[1] <= 16


def test_two_facts_at_once_never_lose_a_colour(fresh_database):
    with db.transaction() as session:
        someones = [person(session) for _ in range(6)]
    barrier = threading.Barrier(4)
    faults = []

    def say_it(place):
        order = someones if place % 2 else someones[::-1]
        made = [reported(one) if place == 0 else declared(one) for one in order]
        barrier.wait()
        try:
            say(*made)
        except Exception as error:  # noqa: BLE001 - of a thread
            faults.append(error)

    threads = [threading.Thread(target=say_it, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert {colour_of(one) for one in someones} == {"red"}
    with db.transaction() as session:
        assert standings_wrong(session) == []
    changes = rows(
        "SELECT payload ->> 'to' AS colour, count(*) FROM audit.entry "
        "WHERE action = 'health_code.colour_changed' GROUP BY 1"
    )
    assert dict(changes[:]).get("red") == len(someones)


def lived(session, *, days=8):
    """Return somebody who was yellow and checked in seven days since, unturned by the job."""
    someone = person(session)
    start = NOON - timedelta(days=days)
    append(session, [declared(someone, said=ILL, at=start)], now=start)
    for day in range(1, 8):
        at = start + timedelta(days=day)
        append(session, [declared(someone, at=at)], now=at)
    return someone


def test_a_colour_whose_time_has_come_is_never_shown_stale(session):
    someone = lived(session)
    stored = text("SELECT colour FROM health_code.standing WHERE person_id = :p")
    assert session.scalar(stored, {"p": someone}) == "yellow"
    shown = standing_of(session, someone)
    assert (shown.colour, shown.is_due) == ("green", True)
    # Only looking changes nothing; signing settles it first.
    assert session.scalar(stored, {"p": someone}) == "yellow"
    assert not settle(session, someone).is_due
    assert session.scalar(stored, {"p": someone}) == "green"


def test_the_job_turns_what_is_due_and_tells(database):
    with db.transaction() as session:
        someone = lived(session)
    assert turn_colours(clock.now()) == 1
    assert colour_of(someone) == "green"
    assert turn_colours(clock.now()) == 0
    last = rows("SELECT id, secret FROM jobs.outbox WHERE event = :e ORDER BY id", e=COLOUR_CHANGED)
    assert (secret_of(last[-1])["from"], secret_of(last[-1])["to"]) == ("yellow", "green")


def test_a_missed_day_resets_the_streak_without_anybody_saying_anything(session):
    someone = person(session)
    start = NOON - timedelta(days=4)
    append(session, [declared(someone, at=start)], now=start)
    assert standing_of(session, someone, now=start).streak == 1
    assert standing_of(session, someone).streak == 0


def test_the_auditor_names_a_colour_that_nothing_said(session):
    someone, other = person(session), person(session)
    append(session, [declared(someone), declared(other)])
    assert standings_wrong(session) == []
    session.execute(
        text("UPDATE health_code.standing SET colour = 'red' WHERE person_id = :p"), {"p": someone}
    )
    session.execute(text("DELETE FROM health_code.standing WHERE person_id = :p"), {"p": other})
    found = {(one.kind, one.id) for one in differences(session)}
    assert found == {("standing", someone), ("standing_missing", other)}


def test_the_auditor_names_a_colour_that_fewer_than_two_agreed_to(session):
    someone = person(session)
    event = by_hand(someone)
    append(session, [event])
    assert [(one.kind, one.id) for one in differences(session)] == [("event_alone", event.id)]


def test_the_auditor_names_what_a_proposal_about_something_else_is_lent_to(app, session):
    """Somebody who writes to the database itself borrows a proposal two authorities agreed to."""
    admin, someone = people.admin(session=session), person(session)
    people.somebody(admin, session=session)
    approvers = approvals_world.approvers(2, session=session)
    agreed_to = session.scalar(
        text(
            "INSERT INTO approvals.proposal (kind, payload_sealed, digest, summary, reason, "
            "evidence_sealed, proposed_by, approvals_needed, expires_at) VALUES "
            "('approvals.appoint', '', '', '{}', 'x', '', :by, 2, now() + interval '1 day') "
            "RETURNING id"
        ),
        {"by": admin.account_id},
    )
    _decided(session, agreed_to, approvers)
    append(session, [by_hand(someone, approval_id=agreed_to)])
    (found,) = differences(session)
    assert found.kind == "event_alone"
    assert "2 units, applied approvals.appoint" in found.found


def test_the_auditor_names_more_events_than_were_agreed_to_or_sent(app, session):
    admin, one, other = people.admin(session=session), person(session), person(session)
    people.somebody(admin, session=session)
    approvers = approvals_world.approvers(2, session=session)
    agreed_to = session.scalar(
        text(
            "INSERT INTO approvals.proposal (kind, payload_sealed, digest, summary, reason, "
            "evidence_sealed, proposed_by, approvals_needed, expires_at) VALUES "
            "('health_code.assign', '', '', '{}', 'x', '', :by, 2, now() + interval '1 day') "
            "RETURNING id"
        ),
        {"by": admin.account_id},
    )
    _decided(session, agreed_to, approvers, outcome='{"persons": 1, "changed": 1}')
    append(session, [by_hand(one, approval_id=agreed_to)])
    assert differences(session) == []
    append(session, [by_hand(other, approval_id=agreed_to)])
    assert [(found.kind, found.id) for found in differences(session)] == [
        ("events_beyond", agreed_to)
    ]
    never_sent = uuid4()
    append(session, [reported(one, batch_id=never_sent)])
    assert ("events_beyond", never_sent) in {(f.kind, f.id) for f in differences(session)}


def _decided(session, proposal_id, approvers, outcome="{}"):
    for approver in approvers:
        session.execute(
            text(
                "INSERT INTO approvals.decision (proposal_id, approver_id, account_id, unit_id, "
                "verdict) SELECT :id, a.id, a.account_id, a.unit_id, 'approve' "
                "FROM approvals.approver a WHERE a.account_id = :account"
            ),
            {"id": proposal_id, "account": approver.account_id},
        )
    session.execute(
        text(
            "UPDATE approvals.proposal SET status = 'applied', ended_at = now(), "
            "outcome = cast(:outcome AS jsonb) WHERE id = :id"
        ),
        {"id": proposal_id, "outcome": outcome},
    )


def test_a_declaration_through_the_door_counts_once_a_day_and_keeps_its_words_sealed(client):
    me = agree(people.citizen())
    body = {"symptoms": [], "contact_with_case": False, "note": "刚从老家回来"}
    for _ in range(2):
        made = client.post("/api/v1/health-code/declarations", json=body, headers=me.headers)
        assert made.status_code == 200, made.json
        assert made.json["status"]["colour"] == "green"
        assert made.json["status"]["streak"] == 1
    stored = rows("SELECT payload::text, details_sealed FROM health_code.event")
    assert all(
        "老家" not in row.payload and b"\xe8\x80" not in row.details_sealed for row in stored
    )
    listed = client.get("/api/v1/health-code/history?limit=1", headers=me.headers).json
    assert listed["items"][0]["details"] == "刚从老家回来"
    path = f"/api/v1/health-code/history?limit=1&cursor={listed['next_cursor']}"
    second = client.get(path, headers=me.headers).json
    assert second["items"][0]["id"] != listed["items"][0]["id"]
    assert second["next_cursor"] is None


def test_nobody_declares_a_past_without_bounds(client, monkeypatch):
    monkeypatch.setattr(declaring, "MOST_A_DAY", 2)
    me = agree(people.citizen())
    body = {"symptoms": [], "contact_with_case": False}
    answers = [
        client.post("/api/v1/health-code/declarations", json=body, headers=me.headers)
        for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert answers[-1].json["code"] == "declared_enough"
    assert len(rows("SELECT 1 FROM health_code.event WHERE person_id = :p", p=me.person_id)) == 2


def test_a_trip_ahead_or_turned_round_is_refused(client):
    me = agree(people.citizen())
    today = people.today()
    wrong = {
        "arrived_on": [(today, today + timedelta(days=1)), (today, today - timedelta(days=1))],
        "departed_on": [(today - timedelta(days=61), today)],
    }
    for member, pairs in wrong.items():
        for departed, arrived in pairs:
            body = {
                "from_area": "420106",
                "to_area": "210200",
                "departed_on": str(departed),
                "arrived_on": str(arrived),
                "transport": "train",
            }
            made = client.post("/api/v1/health-code/trips", json=body, headers=me.headers)
            assert made.status_code == 422, made.json
            assert made.json["errors"][0]["pointer"] == f"/{member}"
    body |= {"departed_on": str(today)}
    made = client.post("/api/v1/health-code/trips", json=body, headers=me.headers)
    assert made.json["status"]["colour"] == "yellow", made.json


def test_the_news_of_a_colour_says_it_to_its_handler_alone_and_forgets_it(fresh_database):
    me = people.citizen()
    say(declared(me.person_id))
    say(reported(me.person_id))
    asked = {"p": str(me.person_id)}
    left = "SELECT payload, secret FROM jobs.outbox WHERE payload ->> 'person_id' = :p ORDER BY id"
    waiting = rows(left, **asked)
    assert len(waiting) == 2
    assert all(set(one.payload) == {"person_id", "event_id"} for one in waiting)
    assert all(one.secret for one in waiting)
    while dispatch({name: (handler,) for name, handler in HANDLERS.items()}):
        pass
    assert [one.secret for one in rows(left, **asked)] == [None, None]
    told = rows("SELECT title FROM messages.message WHERE account_id = :a", a=me.account_id)
    assert len(told) == 2
