"""A code given out at the very instant of what ends it, with real threads on a real database."""

import threading
import time
from contextlib import contextmanager

import family_world
import people
import pytest
from at_once_world import phone_of, with_phone
from family_world import rows, run
from health_world import agree, coloured, reported, say

from citizen_cloud import clock, db
from citizen_cloud.credentials import proofs
from citizen_cloud.modules.health_code.jobs.codes import link_ended
from citizen_cloud.modules.health_code.queries.showable import Asking
from citizen_cloud.modules.health_code.services.codes import showing, thin

WAITS_S = 0.3


def asking(who, person=None, link_id=None):
    return Asking(
        account_id=who.account_id,
        device_id=who.device_id,
        person_id=(person or who).person_id,
        link_id=link_id,
        persons_account_id=person.account_id if person else None,
    )


@contextmanager
def meanwhile(work):
    """Run work in a thread that must wait for the block to end."""
    failed = []

    def run_it():
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says it
            failed.append(error)

    thread = threading.Thread(target=run_it)
    thread.start()
    time.sleep(WAITS_S)
    assert thread.is_alive(), "it did not wait"
    yield
    thread.join(timeout=30)
    assert failed == []


def living(person):
    return rows(
        "SELECT count(*) FROM credentials.credential WHERE holder_id = :p AND revoked_at IS NULL",
        p=person.person_id,
    )[0][0]


def give(session, asked, phone):
    fresh = phone.fresh_key()
    proof = {name: proofs.from_text(fresh[name]) for name in ("show_key", "proof")}
    return showing.give_phone(session, asked, **proof)


def given_while(asked, phone, work):
    """Give a code out, and let work begin before the code is committed."""
    waiting = None
    with db.transaction() as session:
        give(session, asked, phone)
        waiting = meanwhile(work)
        waiting.__enter__()
    waiting.__exit__(None, None, None)


def test_a_colour_that_changes_meanwhile_ends_the_code(fresh_database):
    me, phone = with_phone()
    given_while(asking(me), phone, lambda: say(reported(me.person_id)))
    assert rows("SELECT claims ->> 'c' FROM credentials.credential") == [("green",)]
    assert living(me) == 0


def test_a_link_that_ends_meanwhile_is_waited_for(fresh_database):
    person, worker = coloured(people.citizen(), "green"), agree(people.citizen())
    link_id = _link(worker, person)

    def end():
        run("UPDATE families.link SET status = 'revoked' WHERE id = :id", id=link_id)

    phone = phone_of(worker)
    given_while(asking(worker, person, link_id), phone, end)
    with db.transaction() as session, pytest.raises(Exception, match="proxy_not_permitted"):
        give(session, asking(worker, person, link_id), phone)


def _link(acting, person):
    ((found,),) = family_world.rows(
        "INSERT INTO families.link (acting_id, acting_key, represented_id, represented_key, "
        "relation, scopes, status, is_credible, answer_by) VALUES (:a, :ak, :p, :pk, 'adult', "
        "'{health_code}', 'active', true, statement_timestamp()) RETURNING id",
        a=acting.person_id,
        ak=acting.person_key,
        p=person.person_id,
        pk=person.person_key,
    )
    return found


def test_many_requests_at_a_turn_that_is_due_never_deadlock(fresh_database):
    me, phone = with_phone()
    run(
        "UPDATE health_code.standing SET colour = 'yellow', "
        "holds_until = statement_timestamp() - interval '1 s'"
    )
    start, found = threading.Barrier(8), []

    def ask():
        start.wait()
        with db.transaction() as session:
            found.append(give(session, asking(me), phone).colour)

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    assert found == ["green"] * 8
    assert living(me) == 8


def test_many_thin_codes_at_a_turn_that_is_due_write_it_once_and_say_it(fresh_database):
    me = coloured(people.citizen(), "green")
    run(
        "UPDATE health_code.standing SET colour = 'yellow', "
        "holds_until = statement_timestamp() - interval '1 s'"
    )
    start, found = threading.Barrier(8), []

    def ask():
        start.wait()
        with db.statement() as connection:
            given = thin.give(connection, asking(me))
        if given is None:
            with db.transaction() as session:
                thin.turn(session, asking(me))
                given = thin.give(session, asking(me))
        found.append(given.colour)

    askers = [threading.Thread(target=ask) for _ in range(8)]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    assert found == ["green"] * 8
    assert rows("SELECT count(*) FROM audit.entry WHERE action = 'health_code.colour_changed' "
                "AND payload ->> 'to' = 'green' AND payload ->> 'from' = 'yellow'") == [(1,)]  # fmt: skip


def test_the_end_of_a_link_is_handled_twice_without_harm(fresh_database):
    from citizen_cloud.db import new_id
    from citizen_cloud.manifest import Event

    person, worker = coloured(people.citizen(), "green"), people.citizen()
    link_id = _link(worker, person)
    run("UPDATE families.link SET status = 'revoked' WHERE id = :id", id=link_id)
    event = Event(
        id=new_id(),
        name="families.link_ended",
        payload={"link_id": str(link_id), "kept": []},
        secret=None,
        created_at=clock.now(),
    )
    for _ in range(2):
        with db.transaction() as session:
            link_ended(session, event, clock.now())


def test_a_consent_that_is_taken_back_meanwhile_is_waited_for(fresh_database):
    me, phone = with_phone()
    given_while(asking(me), phone, lambda: agree(me, granted=False))
    family_world.deliver()
    assert living(me) == 0
