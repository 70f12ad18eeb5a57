"""Two workers at one closure, two requests for one bundle, a booking while somebody leaves."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import people
import pytest
from canary import pass_time
from sqlalchemy import text
from structlog.testing import capture_logs

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import BulkReadStopped
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.accounts.services.people import trace_of
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.app import contributions
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.modules.health_code.services.colours.events import NewEvent, append
from citizen_cloud.modules.health_code.services.reports import placing
from citizen_cloud.modules.health_code.services.reports.reported import Origin, Reported
from citizen_cloud.privacy import jobs, owners
from citizen_cloud.privacy.refusals import ClosureInProgress, ExportInProgress
from citizen_cloud.privacy.services import closures, exports
from citizen_cloud.registry.discovery import discover
from citizen_cloud.text import Text


@pytest.fixture(autouse=True)
def everybody(fresh_database):
    before = owners.current()
    found = discover()
    owners.install(owners.owners_of(contributions(), found.modules.values(), found.quarantined))
    yield
    owners.install(before)


def together(count, work):
    barrier = threading.Barrier(count)

    def one(number):
        barrier.wait()
        try:
            return work(number)
        except Exception as error:  # noqa: BLE001 - the test judges it
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def ask(someone):
    with db.transaction() as session:
        return closures.request_closure(
            session,
            account_id=someone.account_id,
            kind="citizen",
            reason=None,
            cool_off=timedelta(days=7),
        ).closure["id"]


def begun(someone):
    closure_id = ask(someone)
    pass_time(closure_id)
    jobs.carry_out_closures(None)
    pass_time(closure_id)
    return closure_id


def scalar(sql, **facts):
    with db.transaction() as session:
        return session.scalar(text(sql), facts)


def test_of_many_workers_one_erases_and_one_certificate_is_signed():
    someone, offer = people.citizen(), people.offer()
    people.booking(someone, offer, quantity=2)
    closure_id = begun(someone)
    done = together(6, lambda _: jobs.erase(closure_id))
    assert [one for one in done if one is True] == [True]
    assert scalar("SELECT count(*) FROM audit.entry WHERE action = 'privacy.erased'") == 1
    assert scalar("SELECT taken FROM booking.slot WHERE id = :id", id=offer) == 0


def test_what_fails_again_and_again_keeps_nobody_else_waiting(monkeypatch):
    """More than a batch of them, asked for first."""
    monkeypatch.setattr(jobs, "MOST", 2)
    poisoned, last = [people.citizen() for _ in range(4)], people.citizen()
    everybody = [*poisoned, last]
    (owner, *others) = owners.current().owners
    bad = {one.account_id for one in poisoned}

    def give(session, subject):
        return 1 / 0 if subject.account_id in bad else owner.data.export(session, subject)

    def forget(session, subject, now):
        return 1 / 0 if subject.account_id in bad else owner.data.erase(session, subject, now)

    stranger = replace(owner, data=replace(owner.data, export=give, erase=forget))
    owners.install(replace(owners.current(), owners=(stranger, *others)))
    for one in everybody:
        with db.transaction() as session:
            exports.request_export(session, account_id=one.account_id, kind="citizen")
    assert jobs.build_exports(None) == 1
    ids = [ask(one) for one in everybody]
    for _ in range(2):
        for closure_id in ids:
            pass_time(closure_id)
        erased = jobs.carry_out_closures(None)
    assert erased == 1
    ended = "SELECT status FROM privacy.closure WHERE id = :id"
    assert [scalar(ended, id=one) for one in ids] == [*["closing"] * 4, "closed"]


def test_nobody_is_erased_while_tables_are_left_of_a_package_that_is_gone(fresh_database):
    someone = people.citizen()
    with fresh_database.owner() as connection:
        connection.execute(text("CREATE SCHEMA clinics"))
        connection.execute(text("CREATE TABLE clinics.visit (person_id uuid)"))
    closure_id = begun(someone)
    with fresh_database.owner() as connection:
        connection.execute(text("GRANT USAGE ON SCHEMA clinics TO citizen_cloud_app"))
    with capture_logs() as lines:
        assert jobs.carry_out_closures(None) == 0
    assert {"event": "closures_wait", "modules": ["clinics"], "log_level": "warning"} in lines
    with db.transaction() as session:
        exports.request_export(session, account_id=someone.account_id, kind="citizen")
    assert jobs.build_exports(None) == 1
    with db.transaction() as session:
        export_id = session.scalar(text("SELECT id FROM privacy.export"))
        bundle = exports.open_bundle(
            session, account_id=someone.account_id, kind="citizen", export_id=export_id
        )
    assert {"owner": "clinics", "reason": "unavailable"} in json.loads(bundle)["not_included"]
    with fresh_database.owner() as connection:
        connection.execute(text("DROP SCHEMA clinics CASCADE"))
    assert jobs.carry_out_closures(None) == 1
    assert scalar("SELECT status FROM privacy.closure WHERE id = :id", id=closure_id) == "closed"


def test_of_many_wishes_one_is_a_closure_and_one_a_bundle():
    someone = people.citizen()

    def bundle(_):
        with db.transaction() as session:
            return exports.request_export(session, account_id=someone.account_id, kind="citizen")

    made = together(6, bundle)
    assert sum(isinstance(one, dict) for one in made) == 1
    assert sum(isinstance(one, ExportInProgress) for one in made) == 5
    asked = together(6, lambda _: ask(someone))
    assert sum(isinstance(one, ClosureInProgress) for one in asked) == 5


def test_a_bundle_is_made_by_one_of_many_workers():
    someone = people.citizen()
    with db.transaction() as session:
        exports.request_export(session, account_id=someone.account_id, kind="citizen")
    assert sum(together(4, lambda _: jobs.build_exports(None))) == 1
    assert scalar("SELECT count(*) FROM messages.message WHERE kind = 'privacy.export_ready'") == 1


def test_news_told_while_somebody_is_erased_is_either_erased_or_never_told():
    for _ in range(5):
        someone = people.citizen()
        closure_id = begun(someone)

        def work(number, someone=someone, closure_id=closure_id):
            if number == 0:
                return jobs.erase(closure_id)
            note = Note(
                account_id=someone.account_id,
                kind="test",
                title=Text("通知", "News"),
                body=Text("您好", "Hello"),
                dedupe_key=f"{someone.account_id}:{number}",
            )
            with db.transaction() as session:
                return notify(session, note=note, now=None)

        together(5, work)
        left = "SELECT count(*) FROM messages.message WHERE account_id = :a"
        assert scalar(left, a=someone.account_id) == 0


def test_many_looks_at_once_are_stopped_near_the_limit(monkeypatch):
    from citizen_cloud.accounts.services import data_access

    monkeypatch.setattr(data_access, "_most", [5])
    crowd = [people.citizen() for _ in range(20)]
    clerk = people.staff(None, None).account_id

    def look(number):
        facts = Look(
            person_id=crowd[number].person_id,
            reader_kind="staff",
            reader_id=clerk,
            purpose="test",
            categories=("name",),
            basis_type="booking",
        )
        with db.transaction() as session:
            note_access(session, facts)

    together(4, lambda n: [look(n), look(n + 4)])
    stopped = [done for done in together(12, lambda n: look(n + 8)) if done is not None]
    assert len(stopped) == 12
    assert all(isinstance(one, BulkReadStopped) for one in stopped)


def batch_of_somebody():
    """Return the id of a batch with nothing in it."""
    facts = {"account": people.citizen().account_id, "unit": people.hall(), "id": uuid4()}
    sql = """
        WITH source AS (
            INSERT INTO health_code.source (account_id, unit_id, name, algorithm, public_key, kinds,
                                            cap_per_hour, registered_in)
            VALUES (:account, :unit, '{}', 'Ed25519', '', '{}', 1, :id) RETURNING id)
        INSERT INTO health_code.batch (id, source_id, reference, content_hash, rows_in, accepted,
                                       rejected, report, status)
        SELECT :id, id, 'r', '', 0, 0, 0, '{}', 'applied' FROM source RETURNING id
    """
    return scalar(sql, **facts)


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("is_placed_first", [False, True])
def test_what_is_said_of_somebody_who_is_being_erased_is_not_left_behind(is_placed_first, by_hand):
    """The health code is asked to forget before the accounts are: between them a batch comes."""
    someone = people.citizen()
    key = scalar("SELECT person_key FROM accounts.person WHERE id = :id", id=someone.person_id)
    trace = trace_of(Claim(document_type="resident_id", number=people.document(), name="王小明"))
    fact = Reported(
        trace=replace(trace, person_key=bytes(key)),
        kind="test_result",
        payload={"result": "positive"},
        evidence="laboratory",
        reference="LAB-1",
        occurred_at=clock.now() - timedelta(minutes=5),
    )
    origin = Origin(source_id=uuid4(), unit_id=uuid4(), batch_id=batch_of_somebody())
    assigned = NewEvent(
        person_id=someone.person_id,
        kind="assigned",
        evidence="approval",
        payload={"colour": "red", "reason": "confirmed_case", "days": 3},
        source_kind="officer",
        approval_id=uuid4(),
    )
    placed, may_commit = threading.Event(), threading.Event()

    def place():
        with db.transaction() as session:
            if by_hand:
                append(session, [assigned])
            else:
                placing.place(session, [fact], origin, now=None)
            placed.set()
            may_commit.wait(10)

    def while_it_is_forgotten(session, subject, now):
        placer.start()
        placed.wait(0.5)
        may_commit.set()
        return accounts.data.erase(session, subject, now)

    placer = threading.Thread(target=place)
    closure_id = begun(someone)
    if is_placed_first:
        placer.start()
        assert placed.wait(10)
        threading.Timer(0.5, may_commit.set).start()
    else:
        found = owners.current()
        accounts = next(one for one in found.owners if one.name == "accounts")
        slow = replace(accounts, data=replace(accounts.data, erase=while_it_is_forgotten))
        listed = tuple(slow if one is accounts else one for one in found.owners)
        owners.install(replace(found, owners=listed))
    assert jobs.erase(closure_id)
    placer.join()
    assert scalar("SELECT erased_at FROM accounts.person WHERE id = :id", id=someone.person_id)
    left = "SELECT count(*) FROM health_code.{} WHERE person_id = :id"
    assert scalar(left.format("event"), id=someone.person_id) == 0
    assert scalar(left.format("standing"), id=someone.person_id) == 0
    kept_aside = 0 if by_hand or is_placed_first else 1
    assert scalar("SELECT count(*) FROM health_code.unplaced") == kept_aside
