"""Lanes: what one person waits for is told in the next batch, whatever thousands are told."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.cli.jobs import all_jobs, handlers_of
from citizen_cloud.jobs import dispatch as dispatching
from citizen_cloud.jobs.dispatch import BATCH, LOOPS, dispatch
from citizen_cloud.jobs.queries import oldest_waiting
from citizen_cloud.jobs.rules import A_FEW, LANES
from citizen_cloud.jobs.services import announce, announce_all
from citizen_cloud.manifest import Alone, Together
from citizen_cloud.modules.health_code.manifest import module
from citizen_cloud.modules.health_code.services.colours.standings import COLOUR_CHANGED
from citizen_cloud.modules.health_code.services.reports import placing


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A machine may be busy with others; what is counted here is batches."""
    monkeypatch.setattr(dispatching, "PATIENCE_S", 60)


def say(event, lane, count=1):
    with db.transaction() as session:
        announce_all(session, event, [({"n": n}, None) for n in range(count)], lane=lane)


def waiting():
    """Return how many events of each lane wait."""
    with db.statement() as connection:
        rows = connection.execute(
            text("SELECT lane, count(*) FROM jobs.outbox WHERE done_at IS NULL GROUP BY lane")
        )
        return dict(rows.all())


def outbox(columns="*"):
    with db.statement() as connection:
        found = connection.execute(text(f"SELECT {columns} FROM jobs.outbox ORDER BY id"))
        return found.mappings().all()


def test_what_is_urgent_goes_first_and_every_lane_goes_on(database):
    seen = []
    for lane in reversed(LANES):
        say("x.told", lane, 3)
    names = {row["id"]: row["lane"] for row in outbox()}
    dispatch({"x.told": [lambda _s, event, _n: seen.append(names[event.id])]})
    assert seen == ["urgent"] * 3 + ["prompt"] * 3 + ["bulk"] * 3


def test_thousands_in_bulk_are_not_starved_by_a_steady_stream_of_urgent_news(database):
    """Each round brings more urgent news than it can take; bulk has a batch of each all the same."""
    nobody = {"x.told": [Together(lambda *_: None)]}
    say("x.told", "bulk", 3 * BATCH)
    for left in (2, 1, 0):
        say("x.told", "urgent", BATCH + 20)
        say("x.told", "prompt", BATCH + 20)
        dispatch(nobody)
        assert waiting().get("bulk", 0) == left * BATCH
    assert waiting()["urgent"] == waiting()["prompt"] == 60


def test_a_few_are_prompt_and_many_are_bulk_unless_the_room_says_otherwise(database):
    with db.transaction() as session:
        announce(session, "x.one", {})
        announce(session, "x.code", {}, lane="urgent")
        announce_all(session, "x.few", [({}, None)] * A_FEW)
        announce_all(session, "x.many", [({}, None)] * (A_FEW + 1))
        announce_all(session, "x.named", [({}, None)] * (A_FEW + 1), lane="prompt")
        # What other rooms write by hand
        session.execute(text("INSERT INTO jobs.outbox (event, payload) VALUES ('x.raw', '{}')"))
    found = {row["event"]: row["lane"] for row in outbox("DISTINCT event, lane, 1 AS id")}
    assert found == {
        "x.one": "prompt",
        "x.code": "urgent",
        "x.few": "prompt",
        "x.many": "bulk",
        "x.named": "prompt",
        "x.raw": "prompt",
    }


def test_what_fails_is_tried_again_in_its_own_lane(database):
    def fail(*_):
        raise ValueError

    for lane in LANES:
        say("x.bad", lane)
    dispatch({"x.bad": [fail]})
    assert waiting() == dict.fromkeys(LANES, 1)
    assert all(row["attempts"] == 1 and row["due_at"] > datetime.now(UTC) for row in outbox())


def test_a_slow_handler_of_bulk_news_holds_up_nothing_urgent(fresh_database):
    """The loop that serves urgent news alone goes on while another is held in bulk."""
    began, may_end, told = threading.Event(), threading.Event(), []

    def slow(*_):
        began.set()
        may_end.wait(20)

    handlers = {"x.slow": [slow], "x.code": [lambda *_: told.append(1)]}
    say("x.slow", "bulk")
    say("x.slow", "prompt")
    busy = [
        threading.Thread(target=dispatch, args=(handlers, lanes))
        for lanes in (LOOPS["jobs.dispatch"], LOOPS["jobs.dispatch_prompt"])
    ]
    for thread in busy:
        thread.start()
    try:
        assert began.wait(20)
        say("x.code", "urgent")
        assert dispatch(handlers, LOOPS["jobs.dispatch_urgent"]) == 1
        assert told == [1]
        # It does not take up what would hold it.
        say("x.slow", "bulk")
        assert dispatch(handlers, LOOPS["jobs.dispatch_urgent"]) == 0
    finally:
        may_end.set()
        for thread in busy:
            thread.join()


def test_what_may_take_long_locks_and_holds_up_nothing_beside_it(fresh_database):
    """A batch of 20,000 facts: what was told before it counts, what comes behind it is free."""
    told, seen = [], []

    def long(*_):
        seen.append(waiting())
        # Another loop goes on with everything else while this one is busy.
        while dispatch({**handlers, "x.long": []}, ["prompt"]):
            pass
        seen.append((waiting(), list(told)))

    handlers = {"x.long": [Alone(long)], "x.told": [lambda _s, e, _n: told.append(e.payload["n"])]}
    say("x.told", "prompt")
    say("x.long", "prompt")
    say("x.told", "prompt", 2)
    assert dispatch(handlers, ["prompt"]) == 1
    assert (told, waiting()) == ([0], {"prompt": 3})
    assert dispatch(handlers, ["prompt"]) == 1
    assert seen == [{"prompt": 3}, ({"prompt": 1}, [0, 0, 1])]
    assert waiting() == {}


def test_what_runs_alone_and_fails_is_put_off_like_anything_else(database):
    def fail(*_):
        raise ValueError

    handlers = {"x.long": [Alone(fail)], "x.told": [lambda *_: None]}
    say("x.long", "prompt")
    say("x.told", "prompt")
    assert [dispatch(handlers) for _ in range(3)] == [1, 1, 0]
    assert [(row["outcome"], row["error"]) for row in outbox()] == [
        (None, "ValueError"),
        ("delivered", None),
    ]


def test_a_modules_handler_stays_what_it_is_and_batches_are_placed_alone(database):
    found = handlers_of((module,))
    assert all(isinstance(one, Alone) for one in found[placing.RECEIVED])
    assert all(isinstance(one, Together) for one in found[COLOUR_CHANGED])


def test_a_worker_has_a_loop_for_urgent_news_alone(database):
    loops = {job.name: job for job in all_jobs() if job.name in LOOPS}
    assert len(loops) == 3
    for lane in LANES:
        say("x.nobody_listens", lane)
    assert loops["jobs.dispatch_urgent"].run(datetime.now(UTC)) == 1
    assert set(waiting()) == {"prompt", "bulk"}
    say("x.nobody_listens", "urgent")
    assert loops["jobs.dispatch_prompt"].run(datetime.now(UTC)) == 2
    assert loops["jobs.dispatch"].run(datetime.now(UTC)) == 1
    assert waiting() == {}


def test_slow_handlers_end_a_batch_early_and_what_they_did_counts(database, monkeypatch):
    """Else an event would count only when 99 slow ones behind it have ended as well."""
    monkeypatch.setattr(dispatching, "PATIENCE_S", 0)
    say("x.slow", "prompt", 3)
    assert [dispatch({"x.slow": [lambda *_: None]}) for _ in range(4)] == [1, 1, 1, 0]
    assert {row["outcome"] for row in outbox()} == {"delivered"}


def test_news_that_goes_together_is_handed_over_at_once_and_in_order(database):
    calls = []
    together = Together(lambda _s, events, _n: calls.append([one.payload["n"] for one in events]))
    say("x.told", "bulk", 5)
    say("y.told", "bulk")
    say("x.told", "bulk", 2)
    dispatch({"x.told": [together], "y.told": [together]})
    assert [sorted(one) for one in calls] == [[0, 1, 2, 3, 4], [0], [0, 1]]


def test_one_bad_event_of_many_is_found_in_halves_and_holds_up_nobody(database):
    calls = []

    def all_but_one(session, events, _now):
        calls.append(len(events))
        for event in events:
            session.execute(
                text("INSERT INTO registry.module (name) VALUES (:n)"), {"n": f"m{event.payload}"}
            )
            if event.payload["n"] == 41:
                raise ValueError

    say("x.told", "bulk", 64)
    assert dispatch({"x.told": [Together(all_but_one)]}) == 64
    bad = [row for row in outbox() if row["outcome"] != "delivered"]
    assert [(row["payload"]["n"], row["error"]) for row in bad] == [(41, "ValueError")]
    # Of each half once: 64, then both halves of what failed, down to one.
    assert len(calls) == 1 + 2 * 6
    with db.statement() as connection:
        written = connection.scalar(text("SELECT count(*) FROM registry.module WHERE name ^@ 'm{'"))
    assert written == 63


def test_a_batch_that_crashes_leaves_everything_as_it_was(fresh_database):
    class Crash(BaseException):
        """Not an error of a handler: the process ends."""

    def once(session, events, _now):
        session.execute(text("INSERT INTO registry.module (name) VALUES ('half')"))
        if crashing:
            raise Crash

    crashing = True
    say("x.told", "bulk", 9)
    with pytest.raises(Crash):
        dispatch({"x.told": [Together(once)]})
    assert waiting() == {"bulk": 9}
    crashing = False
    assert dispatch({"x.told": [Together(once)]}) == 9


def test_each_lane_is_read_by_its_index(fresh_database):
    """Whatever lies in the other lanes, and however much of the week is done."""
    say("x.told", "bulk", 3_000)
    say("x.told", "urgent", 300)
    with fresh_database.owner() as connection:
        connection.execute(text("UPDATE jobs.outbox SET done_at = now() WHERE lane = 'urgent'"))
        say("x.told", "urgent", 2)
        connection.execute(text("ANALYZE jobs.outbox"))
        asked = {"lane": "urgent", "most": BATCH}
        plan = connection.scalars(text(f"EXPLAIN {dispatching._DUE}"), asked).all()
    assert any("ix_outbox_waiting" in line for line in plan), plan
    assert any("Index Cond" in line and "lane" in line and "due_at" in line for line in plan), plan
    assert not any("Sort" in line for line in plan), plan


def test_the_age_of_the_oldest_news_is_measured_by_lane(client, session, monkeypatch):
    for lane, seconds in (("urgent", 90), ("urgent", 30), ("bulk", 700)):
        announce(session, "x", {}, lane=lane, due_at=datetime.now(UTC) - timedelta(seconds=seconds))
    announce(session, "x.later", {}, lane="prompt", due_at=datetime.now(UTC) + timedelta(hours=1))
    ages = oldest_waiting(session)
    assert ages == pytest.approx({"urgent": 90, "prompt": 0, "bulk": 700}, abs=20)
    told = client.get("/metrics").data.decode()
    assert 'citizen_cloud_outbox_oldest_seconds{lane="urgent"} 9' in told
    assert 'citizen_cloud_outbox_oldest_seconds{lane="prompt"} 0.0' in told
