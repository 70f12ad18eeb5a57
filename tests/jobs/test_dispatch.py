import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.jobs.contribution import forget_delivered
from citizen_cloud.jobs.dispatch import MOST_ATTEMPTS, dispatch
from citizen_cloud.jobs.services import announce
from citizen_cloud.jobs.worker import Worker
from citizen_cloud.manifest import Job


def say(event="x.happened", **options):
    with db.transaction() as session:
        return announce(session, event, {"n": 1}, **options)


def outbox():
    with db.statement() as connection:
        return connection.execute(text("SELECT * FROM jobs.outbox ORDER BY id")).mappings().all()


def test_an_event_reaches_its_handlers_once_and_its_secret_is_blanked(fresh_database):
    seen = []
    say(secret={"phone": "+8613800138000", "code": "123456"})
    handlers = {"x.happened": [lambda _s, event, _n: seen.append((event.payload, event.secret))]}
    assert dispatch(handlers) == 1
    assert dispatch(handlers) == 0
    assert seen == [({"n": 1}, {"phone": "+8613800138000", "code": "123456"})]
    row = outbox()[0]
    assert row["secret"] is None
    assert row["outcome"] == "delivered"


def test_a_secret_does_not_lie_open_in_the_table(fresh_database):
    say(secret={"code": "123456"})
    assert b"123456" not in bytes(outbox()[0]["secret"])


def test_a_failing_handler_undoes_its_own_writes_and_is_tried_again_later(fresh_database):
    def fail(session, event, _now):
        session.execute(text("INSERT INTO registry.module (name) VALUES ('half')"))
        raise ValueError(event.id)

    say()
    say("y.happened")
    fine = []
    dispatch({"x.happened": [fail], "y.happened": [lambda *_: fine.append(1)]})
    first, second = outbox()
    assert first["done_at"] is None
    assert first["error"] == "ValueError"
    assert first["due_at"] > datetime.now(UTC)
    assert second["outcome"] == "delivered"
    assert fine == [1]
    with db.statement() as connection:
        assert connection.scalar(text("SELECT count(*) FROM registry.module")) == 0


def test_an_event_that_never_succeeds_is_given_up_and_stays_to_be_seen(fresh_database):
    def fail(*_):
        raise ValueError

    say()
    for _ in range(MOST_ATTEMPTS):
        with db.transaction() as session:
            session.execute(text("UPDATE jobs.outbox SET due_at = now() - interval '1 second'"))
        dispatch({"x.happened": [fail]})
    assert outbox()[0]["outcome"] == "failed"
    assert outbox()[0]["attempts"] == MOST_ATTEMPTS


def test_an_expired_event_is_dropped_with_its_secret(fresh_database):
    say(secret={"code": "1"}, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    dispatch({"x.happened": [lambda *_: 1 / 0]})
    assert outbox()[0]["outcome"] == "expired"
    assert outbox()[0]["secret"] is None


def test_two_workers_share_the_events_without_doubling_any(fresh_database):
    for _ in range(120):
        say()
    seen, lock = [], threading.Lock()

    def note(_session, event, _now):
        with lock:
            seen.append(event.id)

    def work():
        while dispatch({"x.happened": [note]}):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while dispatch({"x.happened": [note]}):
        pass
    assert len(seen) == len(set(seen)) == 120


def test_news_is_left_in_the_callers_own_transaction(fresh_database):
    try:
        with db.transaction() as session:
            announce(session, "x.happened", {})
            raise RuntimeError
    except RuntimeError:
        pass
    assert outbox() == []


def test_old_news_is_forgotten(fresh_database):
    say()
    dispatch({})
    assert forget_delivered(datetime.now(UTC)) == 0
    assert forget_delivered(datetime.now(UTC) + timedelta(days=8)) == 1


def test_a_failing_job_does_not_end_the_worker(fresh_database):
    worker = Worker(fresh_database.url, (), clock=lambda: datetime.now(UTC))
    assert worker.run_once(Job(name="x.bad", cron="@pulse", run=lambda _: 1 / 0)) == 0
    assert worker.run_once(Job(name="x.good", cron="@pulse", run=lambda _: 3)) == 3
