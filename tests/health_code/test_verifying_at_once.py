"""A check by two statements under real threads: one showing passes once, and one look is noted."""

import threading
from datetime import UTC, datetime

import inspector_world
from at_once_world import phones_code, with_phone
from family_world import rows, run

from citizen_cloud import clock, db
from citizen_cloud.credentials.verifier import Outcome
from citizen_cloud.modules.health_code.routes.verifying import answer_json
from citizen_cloud.modules.health_code.schemas.verifying import HealthVerificationSchema
from citizen_cloud.modules.health_code.services.checks import verifying, verifying_at_once
from citizen_cloud.modules.health_code.services.checks.inspectors import Inspector
from citizen_cloud.modules.health_code.services.checks.presented import present
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Grant

CALLERS = 6


def verified(code, inspector, scan_id):
    scan = present(scan_id=scan_id, code=code)
    with db.statement() as connection:
        found = verifying_at_once.verify(connection, scan=scan, inspector=inspector)
    if found is None:
        with db.transaction() as session:
            found = verifying.verify(session, scan=scan, inspector=inspector)
    return found


def inspectors(count):
    return [
        Inspector(
            account_id=inspector_world.post().someone.account_id, grant=Grant(everywhere=False)
        )
        for _ in range(count)
    ]


def at_the_same_instant(calls):
    barrier, found = threading.Barrier(len(calls)), []

    def run_it(call):
        barrier.wait()
        found.append(call())

    threads = [threading.Thread(target=run_it, args=(one,)) for one in calls]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=30)
    assert len(found) == len(calls)
    return found


def shown():
    me, phone = with_phone()
    given = phones_code(me, phone.fresh_key())
    return me, phone.show(given.held.jws, clock.now())


def test_of_many_gates_at_once_one_lets_a_showing_pass_and_one_look_is_noted(fresh_database):
    _, code = shown()
    gates = inspectors(CALLERS)
    answers = at_the_same_instant(
        [lambda n=n, one=one: verified(code, one, f"s{n}") for n, one in enumerate(gates)]
    )
    said = sorted(one.outcome for one in answers)
    assert said == [*[Outcome.REPLAYED] * (CALLERS - 1), Outcome.VALID]
    assert rows("SELECT count(*) FROM health_code.scan") == [(CALLERS,)]
    assert rows("SELECT basis_id = s.id FROM accounts.data_access, health_code.scan s "
                "WHERE s.outcome = 'valid'") == [(True,)]  # fmt: skip


def test_one_scan_sent_many_times_at_once_has_one_answer_and_one_look(fresh_database):
    _, code = shown()
    (inspector,) = inspectors(1)
    answers = at_the_same_instant([lambda: verified(code, inspector, "s")] * CALLERS)
    assert {one.outcome for one in answers} == {Outcome.VALID}
    assert sorted(one.replayed for one in answers) == [False, *[True] * (CALLERS - 1)]
    assert rows("SELECT count(*) FROM accounts.data_access") == [(1,)]


def test_a_look_at_a_made_up_person_is_left_to_the_transaction_that_reports_it(fresh_database):
    me, code = shown()
    run("INSERT INTO accounts.honey_person (person_id) VALUES (:p)", p=me.person_id)
    (inspector,) = inspectors(1)
    with db.statement() as connection:
        scan = present(scan_id="s", code=code)
        assert verifying_at_once.verify(connection, scan=scan, inspector=inspector) is None
    assert rows("SELECT count(*) FROM health_code.scan") == [(0,)]
    assert verified(code, inspector, "s").outcome is Outcome.VALID
    assert rows("SELECT action FROM audit.entry WHERE action LIKE 'privacy%'") == [
        ("privacy.honey_read",)
    ]


def test_an_answer_is_written_as_its_schema_says():
    at = datetime(2026, 3, 1, 4, 5, 6, 789_000, tzinfo=UTC)
    for as_of, colour, name in ((at, "green", "王*明"), (None, None, None)):
        answer = verifying.Answer(
            outcome=Outcome.VALID if as_of else Outcome.EXPIRED,
            colour=colour,
            name_masked=name,
            as_of=as_of,
            status_as_of=at,
            source="device",
            reason=Text("有效", "Valid"),
            decided_at=at,
            replayed=False,
        )
        facts = {**vars(answer), "reason": answer.reason.as_json()}
        assert answer_json(answer) == HealthVerificationSchema().dump(facts)
