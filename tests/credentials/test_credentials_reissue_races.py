"""Codes that end at the very instant they are issued anew: none outlives what ended it."""

import threading
import time
from contextlib import contextmanager

import pytest
from reissue_world import revoke
from sqlalchemy import text

from citizen_cloud import clock
from citizen_cloud.credentials import services
from citizen_cloud.credentials.services.personal_data import erase_data
from citizen_cloud.credentials.services.reissuing import reissue_batch
from citizen_cloud.manifest import Subject

WAITS_S = 0.5


@contextmanager
def waiting(work):
    """Begin work in a thread while the block holds what it waits for."""
    failed = []

    def run_it():
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says it
            failed.append(error)

    thread = threading.Thread(target=run_it)
    thread.start()
    time.sleep(WAITS_S)
    yield
    thread.join(timeout=30)
    assert failed == []


def colour_turned(town, session):
    people = {"holders": [town.someone.person_id]}
    services.revoke_held(session, **people, types=["hc"])


def phone_lost(town, session):
    phone = {"account_id": town.someone.account_id, "device_id": town.someone.device_id}
    services.report_lost(session, **phone)


def worker_gone(town, session):
    services.revoke_held_by(
        session,
        account_id=town.someone.account_id,
        holders=[town.someone.person_id],
        types=["hc"],
    )


def person_erased(town, session):
    someone = Subject(account_id=town.someone.account_id, person_id=town.someone.person_id)
    erase_data(session, someone, clock.now())


def paper_lost(town, session):
    services.revoke(session, type="hp", subject_id=town.someone.person_id)


def paper_replaced(town, session):
    services.issue_held(session, type="hp", name="王*", **town._person("green"))


LIVING = text(
    """
    SELECT count(*) FROM credentials.credential
     WHERE type = :type AND holder_id = :holder AND revoked_at IS NULL
    """
)


@pytest.mark.parametrize(
    ("work", "type_", "left"),
    [
        (colour_turned, "hc", 0),
        (phone_lost, "hc", 0),
        (worker_gone, "hc", 0),
        (person_erased, "hc", 0),
        (paper_lost, "hp", 0),
        (paper_replaced, "hp", 1),
    ],
)
def test_what_ends_a_code_while_it_is_issued_anew_ends_the_new_one(town, work, type_, left):
    revoke()

    def end():
        with town.fresh.database.transaction() as session:
            work(town, session)

    with town.fresh.database.transaction() as session:
        reissue_batch(session, kids=["c.k1"], size=1000)
        meanwhile = waiting(end)
        meanwhile.__enter__()
    meanwhile.__exit__(None, None, None)
    with town.fresh.database.transaction() as session:
        facts = {"type": type_, "holder": town.someone.person_id}
        assert session.scalar(LIVING, facts) == left


NOWAIT = text("SELECT 1 FROM credentials.credential WHERE jti = :jti FOR UPDATE NOWAIT")


@pytest.mark.parametrize("work", [colour_turned, phone_lost, worker_gone])
def test_whoever_ends_several_codes_locks_them_in_one_order(town, work):
    codes = [town.held.jti]
    while len(codes) < 4 or min(codes) == town.held.jti:
        town.fresh_key = town.phone.fresh_key()
        with town.fresh.database.transaction() as session:
            codes.append(town.show(session).jti)
    first, *others = sorted(codes)
    done = []

    def end():
        with town.fresh.database.transaction() as session:
            # As they lie, not as an index has them.
            session.execute(text("SET LOCAL enable_indexscan = off"))
            session.execute(text("SET LOCAL enable_bitmapscan = off"))
            work(town, session)
            done.append(work)

    with town.fresh.database.transaction() as session:
        session.execute(NOWAIT, {"jti": first})
        meanwhile = waiting(end)
        meanwhile.__enter__()
        assert done == []
        for jti in others:
            session.execute(NOWAIT, {"jti": jti})
    meanwhile.__exit__(None, None, None)
    assert len(done) == 1


def test_issuing_anew_waits_for_nobody_who_ends_codes(town):
    revoke()
    with town.fresh.database.transaction() as ending:
        colour_turned(town, ending)
        with town.fresh.database.transaction() as session:
            made = reissue_batch(session, kids=["c.k1"], size=1000)
    assert made.done == len(town.subjects) + 1
