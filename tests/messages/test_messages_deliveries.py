"""From an event to a phone: queued, claimed, sent outside any transaction, blanked."""

import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import callers
import pytest
from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.crypto import KeyRing
from citizen_cloud.db import new_id
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.jobs.services import announce
from citizen_cloud.manifest import Subject
from citizen_cloud.messages.contribution import contribution, erase, export
from citizen_cloud.messages.jobs import deliver_due, forget_old
from citizen_cloud.messages.senders import HttpSms, PermanentFailure, SenderFailure
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.messages.services.deliveries import Outcome, claim_due, queue_text, settle
from citizen_cloud.text import Text


# Asked each time: codes live five minutes, and a long run of tests is longer.
def clock_now():
    return datetime.now(UTC)


HOUR = timedelta(hours=1)


def queue(session, key="k1", until=HOUR, words="请带证件", phone="+8613800000000"):
    queue_text(session, phone=phone, words=words, kind="test", key=key, until=clock_now() + until)


def deliveries(session):
    return session.execute(text("SELECT * FROM messages.delivery ORDER BY dedupe_key")).all()


def pass_time(session, seconds):
    """Let time pass for what waits, by moving what waits."""
    session.execute(
        text("UPDATE messages.delivery SET due_at = due_at - make_interval(secs => :s)"),
        {"s": seconds},
    )


def failing(error):
    def answer(_sms):
        raise error

    return answer


def note(account_id, key="b1:booked", **changes):
    facts = {
        "account_id": account_id,
        "kind": "masks.booked",
        "title": Text("预约成功", "Booked"),
        "body": Text("您已预约成人口罩。", "Your masks are booked."),
        "dedupe_key": key,
        "subject_type": "booking",
        "subject_id": new_id(),
    }
    return Note(**(facts | changes))


def test_a_code_asked_for_becomes_a_text_that_ends_with_the_code(session, sender):
    secret = {"phone": "+8613912345678", "code": "123456", "language": "en"}
    announce(session, "accounts.otp_requested", {"challenge_id": "x"}, secret=secret)
    dispatch({"accounts.otp_requested": [contribution.handlers["accounts.otp_requested"]]})
    [row] = deliveries(session)
    life = row.expires_at - row.created_at
    assert timedelta(minutes=4, seconds=58) < life <= timedelta(minutes=5)
    assert deliver_due(clock_now()) == 1
    [sms] = sender.sent
    assert (sms.to, "123456" in sms.text, sms.text.startswith("[")) == (secret["phone"], True, True)


def test_an_event_handled_twice_is_one_text(session, sender):
    handler = contribution.handlers["accounts.otp_requested"]
    secret = {"phone": "+8613912345678", "code": "123456"}
    event = SimpleNamespace(
        id=new_id(), name="accounts.otp_requested", secret=secret, created_at=clock_now()
    )
    for _ in range(2):
        handler(session, event, clock_now())
    assert len(deliveries(session)) == 1
    handler(
        session, SimpleNamespace(**{**vars(event), "id": new_id(), "secret": None}), clock_now()
    )
    assert len(deliveries(session)) == 1


def test_a_text_lies_sealed_and_is_blanked_when_it_is_sent(session, sender):
    queue(session)
    [row] = deliveries(session)
    assert b"13800000000" not in bytes(row.secret)
    assert "请带证件".encode() not in bytes(row.secret)
    deliver_due(clock_now())
    [row] = deliveries(session)
    assert (row.status, row.secret, row.error, row.attempts) == ("sent", None, None, 1)
    assert row.sent_at is not None
    assert deliver_due(clock_now()) == 0
    assert len(sender.sent) == 1


def test_an_expired_text_is_dropped_unsent(session, sender):
    queue(session, until=-timedelta(seconds=1))
    deliver_due(clock_now())
    [row] = deliveries(session)
    assert (row.status, row.secret) == ("expired", None)
    assert not sender.sent


def test_what_the_gateway_refuses_is_over(session, sender):
    queue(session)
    sender.answer = failing(PermanentFailure("gateway answered 422"))
    deliver_due(clock_now())
    [row] = deliveries(session)
    assert (row.status, row.secret, row.error) == ("failed", None, "gateway answered 422")


def test_a_passing_trouble_is_tried_again_with_longer_pauses_and_the_same_id(session, sender):
    queue(session)
    sender.answer = failing(SenderFailure("ReadTimeout"))
    pauses = []
    for _ in range(10):
        assert deliver_due(clock_now()) == 1
        assert deliver_due(clock_now()) == 0
        [row] = deliveries(session)
        assert row.status == "pending"
        now = session.scalar(text("SELECT statement_timestamp()"))
        pauses.append(round((row.due_at - now).total_seconds()))
        pass_time(session, 301)
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    sender.answer = lambda _sms: None
    deliver_due(clock_now())
    assert deliveries(session)[0].status == "sent"
    assert {sms.dedupe_id for sms in sender.sent} == {"k1"}


def test_a_text_is_tried_until_it_is_over_and_no_longer(session, sender):
    queue(session)
    sender.answer = failing(SenderFailure("ReadTimeout"))
    session.execute(text("UPDATE messages.delivery SET attempts = 140"))
    deliver_due(clock_now())
    assert deliveries(session)[0].status == "pending"
    pass_time(session, 301)
    session.execute(text("UPDATE messages.delivery SET expires_at = statement_timestamp()"))
    deliver_due(clock_now())
    [row] = deliveries(session)
    assert (row.status, row.secret) == ("expired", None)


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyError("x"), RecursionError()])
def test_a_fault_of_the_sender_keeps_no_other_text(session, sender, error):
    queue(session, "a")
    queue(session, "b", phone="+8613900000000")

    def answer(sms):
        if sms.dedupe_id == "a":
            raise error

    sender.answer = answer
    deliver_due(clock_now())
    first, second = deliveries(session)
    assert (first.status, second.status) == ("pending", "sent")
    assert first.error == type(error).__name__


def test_a_text_whose_key_was_taken_away_keeps_no_other_text(session, sender):
    queue(session, "a")
    held = crypto.current()
    session.execute(text("UPDATE messages.delivery SET secret = '\\x6b392e00'"))
    queue(session, "b")
    deliver_due(clock_now())
    first, second = deliveries(session)
    assert (first.status, first.error, second.status) == ("failed", "undecryptable", "sent")
    assert isinstance(held.fields, KeyRing)


def test_a_slow_gateway_has_several_texts_at_once(session, sender):
    for number in range(8):
        queue(session, f"k{number}")
    meeting = threading.Barrier(8, timeout=5)
    # Nobody comes back from here before all eight are under way.
    sender.answer = lambda _sms: meeting.wait() and None
    deliver_due(clock_now())
    assert {row.status for row in deliveries(session)} == {"sent"}


def test_codes_go_before_reminders(session, sender):
    for number in range(60):
        queue(session, f"reminder{number:02}", until=12 * HOUR)
    queue(session, "code", until=timedelta(minutes=5))
    deliver_due(clock_now())
    assert "code" in {sms.dedupe_id for sms in sender.sent}
    assert len(sender.sent) == 24


def test_what_another_worker_settled_stays(session):
    queue(session)
    [due] = claim_due(session, most=5)
    settle(session, [(due, Outcome(status="sent"))])
    settle(session, [(due, Outcome(status="failed", error="late"))])
    settle(session, [(due, Outcome(status="later", error="late"))])
    [row] = deliveries(session)
    assert (row.status, row.error) == ("sent", None)


def test_a_worker_that_dies_leaves_its_texts_to_the_next_one(session, sender):
    queue(session)
    assert len(claim_due(session, most=5)) == 1
    assert deliver_due(clock_now()) == 0
    pass_time(session, 61)
    assert deliver_due(clock_now()) == 1
    assert deliveries(session)[0].status == "sent"


def test_a_worker_passes_over_what_another_is_claiming(fresh_database):
    database = fresh_database.database
    with db.transaction() as session:
        queue(session, "a")
    with database.transaction() as one, database.transaction() as other:
        assert len(claim_due(one, most=5)) == 1
        assert claim_due(other, most=5) == []


def test_two_workers_send_every_text_once(fresh_database, sender):
    with db.transaction() as session:
        for number in range(40):
            queue(session, f"k{number}")
    barrier = threading.Barrier(4)

    def work():
        barrier.wait()
        while deliver_due(clock_now()):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sms.dedupe_id for sms in sender.sent) == sorted(f"k{n}" for n in range(40))


def test_nothing_is_locked_while_the_gateway_thinks(fresh_database, sender):
    with db.transaction() as session:
        queue(session)
    seen = []

    def answer(_sms):
        with fresh_database.owner() as connection:
            seen.append(
                connection.scalar(
                    text(
                        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' "
                        "AND datname = current_database()"
                    )
                )
            )
            seen.append(
                connection.scalar(
                    text("SELECT id IS NOT NULL FROM messages.delivery FOR UPDATE NOWAIT")
                )
            )

    sender.answer = answer
    deliver_due(clock_now())
    assert seen == [0, True]


def test_a_gateway_that_loses_its_answers_gets_the_same_id_again(session, sender, gateway):
    """The text was taken, the answer was lost: the repeat can be told apart."""
    sender.answer = HttpSms(gateway.url, "t").send
    gateway.answer = lambda door: door.connection.close()
    queue(session)
    deliver_due(clock_now())
    assert deliveries(session)[0].status == "pending"
    gateway.answer = type(gateway).answer
    pass_time(session, 10)
    deliver_due(clock_now())
    assert deliveries(session)[0].status == "sent"
    assert [body["dedupe_id"] for _, body in gateway.requests] == ["k1", "k1"]


def test_a_note_is_told_once_also_when_it_comes_again(session, sender, app):
    me = callers.citizen()
    assert notify(session, note=note(me.account_id), now=clock_now())
    assert not notify(session, note=note(me.account_id), now=clock_now())
    assert session.scalar(text("SELECT count(*) FROM messages.message")) == 1
    assert not deliveries(session)


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "您已预约成人口罩。"), ("en", "Your masks are booked.")]
)
def test_a_note_goes_out_as_a_text_in_the_accounts_language(session, sender, app, language, words):
    me = callers.citizen("+8613711111111", language=language)
    for _ in range(2):
        notify(session, note=note(me.account_id, sms=True), now=clock_now())
    deliver_due(clock_now())
    [sms] = sender.sent
    assert (sms.to, sms.text) == ("+8613711111111", words)


def test_an_account_without_a_phone_gets_the_inbox_only(session, sender, app):
    me = callers.citizen(phone=None)
    assert notify(session, note=note(me.account_id, sms=True), now=clock_now())
    assert not deliveries(session)


def test_a_phone_that_opens_no_more_costs_only_the_text(session, sender, app):
    me = callers.citizen()
    session.execute(text("UPDATE accounts.account SET phone_sealed = '\\x6b392e00'"))
    assert notify(session, note=note(me.account_id, sms=True), now=clock_now())
    assert not deliveries(session)


def test_an_inbox_is_exported_and_erased_with_its_unsent_texts(session, sender, app):
    me, other = callers.citizen(), callers.citizen()
    notify(session, note=note(me.account_id, "mine", sms=True), now=clock_now())
    notify(session, note=note(other.account_id, "theirs", sms=True), now=clock_now())
    [message] = export(session, Subject(account_id=me.account_id))["messages"]
    assert message["body"] == {"zh": "您已预约成人口罩。", "en": "Your masks are booked."}
    # Both citizens have one phone: the other one's text goes out.
    assert erase(session, Subject(account_id=me.account_id), clock_now()) == 2
    assert export(session, Subject(account_id=me.account_id)) == {"messages": [], "texts": []}
    deliver_due(clock_now())
    assert [sms.dedupe_id for sms in sender.sent] == ["theirs"]


def test_old_messages_and_deliveries_are_forgotten(session, sender, app):
    me = callers.citizen()
    notify(session, note=note(me.account_id, sms=True), now=clock_now())
    assert forget_old(clock_now() + timedelta(days=364)) == 0
    assert forget_old(clock_now() + timedelta(days=366)) == 2


def test_sending_runs_at_every_beat():
    [job] = [job for job in contribution.jobs if job.run is deliver_due]
    assert job.cron == "@pulse"
