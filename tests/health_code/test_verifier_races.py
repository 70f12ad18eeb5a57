"""Many gates at the same instant, on real connections: one showing passes once, one share once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import health_world
import inspector_world
import people
from phone import Phone
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.credentials import compact, proofs
from citizen_cloud.credentials.services import issue_held
from citizen_cloud.credentials.verifier import Outcome
from citizen_cloud.modules.health_code.services.checks import uploading, verifying
from citizen_cloud.modules.health_code.services.checks.inspectors import Inspector
from citizen_cloud.modules.health_code.services.checks.presented import present
from citizen_cloud.modules.health_code.services.codes import shares
from citizen_cloud.web.caller import Grant

CALLERS = 6
PASSED = "SELECT count(*) FROM health_code.scan WHERE outcome = 'valid' AND finding IS NULL"


def at_once(calls):
    """Call all at the same instant; return what each returned."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def inspectors(count):
    """Return inspectors, each of an organisation of his own."""
    return [
        Inspector(account_id=one.someone.account_id, grant=Grant(everywhere=False))
        for one in (inspector_world.post() for _ in range(count))
    ]


def checking(code, inspector, scan_id):
    def call():
        with db.transaction() as session:
            scan = present(scan_id=scan_id, code=code)
            return verifying.verify(session, scan=scan, inspector=inspector)

    return call


def shown():
    """Return a person and one showing of a code that was issued to him."""
    me = health_world.coloured(people.citizen(), "green")
    phone = Phone()
    key = proofs.from_text(phone.fresh_key()["show_key"])
    with db.transaction() as session:
        held = issue_held(
            session,
            type="hc",
            holder_id=me.person_id,
            colour="green",
            expires_at=None,
            show_key=key,
        )
    return me, phone.show(held.jws, clock.now())


def told(scans, inspector):
    def call():
        with db.transaction() as session:
            return uploading.upload(session, uploaded=scans, inspector=inspector)

    return call


def count(sql):
    with db.transaction() as session:
        return session.scalar(text(sql))


def test_of_many_gates_at_once_one_lets_a_showing_pass(fresh_database):
    _, code = shown()
    answers = at_once([checking(code, one, f"s{n}") for n, one in enumerate(inspectors(CALLERS))])
    said = sorted(one.outcome for one in answers)
    assert said == [*[Outcome.REPLAYED] * (CALLERS - 1), Outcome.VALID]
    assert all(one.colour is None for one in answers if one.outcome is Outcome.REPLAYED)
    assert count("SELECT count(*) FROM health_code.scan") == CALLERS
    assert count("SELECT count(*) FROM accounts.data_access WHERE purpose LIKE '%verify'") == 1


def test_one_scan_sent_many_times_at_once_has_one_answer(fresh_database):
    _, code = shown()
    (inspector,) = inspectors(1)
    answers = at_once([checking(code, inspector, "s") for _ in range(CALLERS)])
    assert {one.outcome for one in answers} == {Outcome.VALID}
    assert {one.decided_at for one in answers} == {answers[0].decided_at}
    assert sorted(one.replayed for one in answers) == [False, *[True] * (CALLERS - 1)]
    assert count("SELECT count(*) FROM health_code.scan") == 1


def test_a_share_is_used_up_by_one_of_many(fresh_database):
    me = health_world.coloured(people.citizen(), "green")
    with db.transaction() as session:
        token = shares.share(session, person_id=me.person_id, account_id=me.account_id).token
    answers = at_once([checking(token, one, f"s{n}") for n, one in enumerate(inspectors(CALLERS))])
    said = sorted(one.outcome for one in answers)
    assert said == [*[Outcome.NOT_FOUND] * (CALLERS - 1), Outcome.VALID]


def test_one_share_sent_many_times_in_one_scan_has_one_answer(fresh_database):
    me = health_world.coloured(people.citizen(), "green")
    with db.transaction() as session:
        token = shares.share(session, person_id=me.person_id, account_id=me.account_id).token
    (inspector,) = inspectors(1)
    answers = at_once([checking(token, inspector, "s") for _ in range(CALLERS)])
    assert {one.outcome for one in answers} == {Outcome.VALID}


def test_one_batch_sent_many_times_at_once_is_recorded_once(fresh_database):
    _, code = shown()
    (inspector,) = inspectors(1)
    now = clock.now()
    scans = [
        present(scan_id=f"s{n}", code=code, device_at=now, device_outcome="valid") for n in range(4)
    ]

    def call():
        with db.transaction() as session:
            return uploading.upload(session, uploaded=scans, inspector=inspector)

    answers = at_once([call] * CALLERS)
    assert len({tuple(one.outcome for one in each) for each in answers}) == 1
    assert sorted(one.outcome for one in answers[0]) == [*[Outcome.REPLAYED] * 3, Outcome.VALID]
    assert count("SELECT count(*) FROM health_code.scan") == 4


def test_of_two_uploads_at_once_the_earlier_scan_is_the_first(fresh_database):
    codes = [shown()[1] for _ in range(3)]
    now, others = clock.now(), inspectors(CALLERS)

    def uploading_at(number, inspector):
        scans = [
            # Each in an order of its own.
            present(
                scan_id=f"s{place if number % 2 else 9 - place}",
                code=code,
                device_at=now + timedelta(milliseconds=number - 100),
                device_outcome="valid",
            )
            for place, code in enumerate(codes)
        ]
        return told(scans, inspector)

    at_once([uploading_at(number, one) for number, one in enumerate(others)])
    assert count(PASSED) == len(codes)
    assert count(f"{PASSED} AND account_id = '{others[0].account_id}'") == len(codes)


def test_two_uploads_of_one_gate_at_once_see_each_other(fresh_database, monkeypatch):
    """No index holds paper back: it is made to be shown again."""
    me = health_world.coloured(people.citizen(), "green")
    with db.transaction() as session:
        code = compact.pack(
            issue_held(
                session,
                type="hp",
                holder_id=me.person_id,
                colour="green",
                expires_at=None,
                name="王*",
            ).jws
        )
    (gate,), now = inspectors(1), clock.now()
    known = uploading._known
    monkeypatch.setattr(uploading, "_known", lambda *of: (known(*of), time.sleep(0.3))[0])
    scans = [
        present(scan_id=f"s{n}", code=code, device_at=now, device_outcome="valid") for n in range(3)
    ]
    answers = at_once([told([one], gate) for one in scans])
    said = sorted(one.outcome for (one,) in answers)
    assert said == [Outcome.REPLAYED, Outcome.REPLAYED, Outcome.VALID]


def test_an_upload_and_doors_at_once_let_one_pass(fresh_database):
    _, code = shown()
    gates, now = inspectors(CALLERS), clock.now()
    earlier = present(
        scan_id="s", code=code, device_at=now - timedelta(seconds=2), device_outcome="valid"
    )
    answers = at_once([told([earlier], gates[0]), *(checking(code, one, "s") for one in gates[1:])])
    assert answers[0][0].outcome is Outcome.VALID
    assert count(PASSED) == 1
    assert count(f"{PASSED} AND is_offline") == 1
