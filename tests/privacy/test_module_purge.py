import json
import threading
import time
from dataclasses import replace

import approvals_world as approvals
import health_world
import people
import purge_world as world
import pytest
import scan
from click.testing import CliRunner
from module_canary import ModuleCanary
from purge_world import order, switch
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.audit.services import Act, examine, record, seal
from citizen_cloud.cli import jobs as worker
from citizen_cloud.cli import modules as command
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.statements import StatementInvalid
from citizen_cloud.errors import NotFound
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.manifest import Job
from citizen_cloud.portal.state import HOST
from citizen_cloud.privacy import owners
from citizen_cloud.privacy.jobs import build_exports, purge_modules
from citizen_cloud.privacy.services import exports, purging
from citizen_cloud.privacy.services.destruction import read_destruction
from citizen_cloud.registry import purging as registry
from citizen_cloud.registry import services

NAME = "health_code"
PATH = f"/api/v1/open/modules/{NAME}/destruction-certificate"


@pytest.fixture
def module(shared_app, fresh_database):
    return shared_app.extensions[HOST].modules[NAME]


def propose(by=None):
    return world.propose(NAME, by)


def state():
    return world.state(NAME)


def purge():
    world.purge(NAME)


def dump(database):
    return scan.dump(database.settings.database_owner_url)


def counted(database, tables):
    with database.owner() as owner:
        return {t: owner.scalar(text(f"SELECT count(*) FROM {t}")) for t in tables}


def test_a_dump_shows_nothing_of_a_canary_person_after_the_purge(
    shared_app, module, fresh_database
):
    me = ModuleCanary(module, people.citizen())
    before = me.sections_with_the_person(dump(fresh_database))
    with fresh_database.owner() as owner:
        tables = me.plant(owner)
    with db.transaction() as session:
        seal(session)
    # The scan finds what is there: every table, and every other place.
    planted = dump(fresh_database)
    assert me.left_in(planted) == sorted(me.traces)
    assert {place.rpartition(".")[0] for place in me.traces} >= set(tables)
    assert me.sections_with_the_person(planted) > before
    counts = counted(fresh_database, tables)
    proposal_id = order(module)
    purge()
    left = dump(fresh_database)
    assert me.left_in(left) == []
    # What stays is the account itself, and what others wrote of it before.
    of_person = me.sections_with_the_person(left)
    assert {t: n for t, n in of_person.items() if not t.startswith("accounts.")} == {
        t: n for t, n in before.items() if not t.startswith("accounts.")
    }
    assert counted(fresh_database, tables) == dict.fromkeys(tables, 0)
    with db.transaction() as session:
        seal(session)
        seen = examine(session)
    assert seen.findings == []
    assert seen.redacted >= len(module.sunset.acts)
    _certified(shared_app, module, counts, proposal_id)


def _certified(shared_app, module, counts, proposal_id):
    answer = shared_app.test_client().get(PATH).json
    said = read_destruction(answer["certificate"], keys=keys.public_keys())
    assert (said["module"], said["approval"]) == (NAME, str(proposal_id))
    rows = {one["what"]: one["rows"] for one in said["erased"]}
    assert {table: rows[table] for table in counts} == counts
    assert rows["credentials.credential"] == len(module.sunset.credentials)
    assert rows["audit.entry"] >= len(module.sunset.acts)
    assert said["audit_head"]["number"] > 0
    assert said["kept"]
    header, claims, signature = answer["certificate"].split(".")
    with pytest.raises(StatementInvalid):
        read_destruction(f"{header}.{claims[:-4]}AAAA.{signature}", keys=keys.public_keys())


def test_a_module_that_serves_is_not_purged_and_one_approval_is_not_enough(module):
    switch(module, "active")
    with pytest.raises(registry.NotInSunset):
        propose()
    switch(module, "sunset")
    proposal_id = propose()
    approvals.agree(proposal_id, approvals.approvers(1))
    assert state() is None
    with db.transaction() as session, pytest.raises(NotFound):
        purging.advance(session, owners.current().endings[NAME])


def test_a_purged_module_is_never_switched_on_again(shared_app, module):
    assert shared_app.test_client().get(PATH).status_code == 404
    order(module)
    for when in ("ordered", "done"):
        assert state() == when
        for wanted in ("active", "read_only", "draining", "off", "draft"):
            with pytest.raises(registry.ModulePurged):
                switch(module, wanted)
        switch(module, "sunset")
        purge()
    with pytest.raises(registry.ModulePurged):
        propose()


def test_an_order_and_a_switch_at_once_never_both_happen(module):
    for _ in range(4):
        with db.transaction() as session:
            session.execute(text("UPDATE registry.module SET state = 'sunset'"))
        switch(module, "sunset")
        begin, done = threading.Barrier(2), []

        def race(work, begin=begin, done=done):
            begin.wait()
            try:
                with db.transaction() as session:
                    work(session)
            except (registry.NotInSunset, registry.ModulePurged):
                done.append("refused")

        threads = [
            threading.Thread(target=race, args=(work,))
            for work in (
                lambda s: registry.order(s, module=NAME, approval_id=people.new_id()),
                lambda s: services.set_state(
                    s, module=module, state="active", reason="又来了", actor_id=None
                ),
            )
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert done == ["refused"]
        if state():
            break


def test_a_purge_that_was_stopped_goes_on_where_it_stood(module, fresh_database):
    me = ModuleCanary(module, people.citizen())
    with fresh_database.owner() as owner:
        tables = me.plant(owner)
    counts = counted(fresh_database, tables)
    order(module)
    ending = owners.current().endings[NAME]
    seen = []
    for turn in range(200):
        with db.transaction() as session:
            seal(session)
        try:
            with db.transaction() as session:
                found = purging.advance(session, ending)
                if found is not None and turn % 2:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            continue
        if found is None:
            break
        seen.append(found.progress["step"])
    assert seen == sorted(seen)
    assert set(range(1, len(purging.STEPS) + 1)) <= set(seen)
    with db.transaction() as session:
        progress = registry.purge_of(session, NAME).progress
    assert {table: progress[table] for table in tables} == counts
    assert state() == "done"


def test_acts_that_wait_for_their_seal_hold_the_purge_up(module, fresh_database):
    act = Act(
        actor_kind="system",
        actor_id=None,
        action=f"{NAME}.late",
        object_type="event",
        object_id=None,
        payload={"person_id": "x"},
    )
    order(module)
    with fresh_database.database.transaction() as slow:
        # Whoever is older than an act keeps it from being sealed.
        slow.execute(text("SELECT pg_current_xact_id()"))
        with db.transaction() as session:
            record(session, act)
        purge_modules(None)
        assert state() == "running"
    purge()
    with db.transaction() as session:
        left = session.scalars(
            text("SELECT payload FROM audit.entry WHERE action = 'health_code.late'")
        ).all()
    assert left == [None]


def test_a_bundle_that_was_made_while_the_purge_went_on_goes_as_well(
    module, fresh_database, monkeypatch
):
    me = health_world.coloured(people.citizen(), "yellow")
    order(module)
    made = threading.Event()
    build = exports._bundle

    def slowly(*arguments):
        found = build(*arguments)
        made.set()
        time.sleep(0.5)
        return found

    monkeypatch.setattr(exports, "_bundle", slowly)
    acts = purging._acts

    def meanwhile(*arguments):
        """Let a bundle be read before the acts are erased, and be written after."""
        if not worker_at_it:
            with db.transaction() as session:
                exports.request_export(session, account_id=me.account_id, kind="citizen")
            worker_at_it.append(threading.Thread(target=build_exports, args=(None,)))
            worker_at_it[0].start()
            made.wait(20)
        return acts(*arguments)

    worker_at_it = []
    steps = tuple(meanwhile if step is acts else step for step in purging.STEPS)
    monkeypatch.setattr(purging, "STEPS", steps)
    purge()
    worker_at_it[0].join()
    with db.transaction() as session:
        assert session.scalars(text("SELECT status FROM privacy.export")).all() == []


def test_nobody_empties_a_schema_without_an_order(module):
    for name in (NAME, "accounts", "audit", "public"):
        with pytest.raises(Exception, match="no order to purge"), db.transaction() as session:
            attack(session, EMPTY, name)


def attack(session, sql, name=NAME, **values):
    """Do what whoever stole the application's role would do."""
    return session.execute(text(sql), {"module": name, **values}).all()


EMPTY = "SELECT * FROM privacy.empty_module(:module)"
REDACT = "SELECT privacy.redact_acts(:module, :entries, sha256(''), cast(:order AS jsonb))"
FORGED = (
    """INSERT INTO registry.module (name, state) VALUES (:module, 'sunset')
       ON CONFLICT (name) DO UPDATE SET state = 'sunset' RETURNING name""",
    """INSERT INTO registry.purge (module, approval_id, state, ordered_at)
       VALUES (:module, :approval, 'running', now() - interval '1 day') RETURNING module""",
)


def forge(session, name, approval_id):
    for sql in FORGED:
        attack(session, sql, name, approval=approval_id)


@pytest.mark.parametrize("agreed", [0, 1])
@pytest.mark.parametrize("sql", [EMPTY, REDACT])
def test_a_forged_order_that_fewer_than_two_agreed_to_does_nothing(module, sql, agreed):
    switch(module, "sunset")
    approval_id = propose() if agreed else people.new_id()
    if agreed:
        approvals.agree(approval_id, approvals.approvers(1))
    with pytest.raises(Exception, match="no order to purge"), db.transaction() as session:
        forge(session, NAME, approval_id)
        attack(session, sql, entries=[people.new_id()], order="{}")
    if agreed:
        with pytest.raises(Exception, match="too few people"), db.transaction() as session:
            forge(session, NAME, approval_id)
            attack(
                session,
                "UPDATE approvals.proposal SET status = 'applied', ended_at = now() RETURNING id",
            )


def test_an_order_for_one_module_ends_no_other(module):
    order(module)
    turn = (
        """INSERT INTO registry.module (name, state) VALUES ('masks', 'sunset')
           ON CONFLICT (name) DO UPDATE SET state = 'sunset' RETURNING name""",
        "UPDATE registry.purge SET module = 'masks', state = 'running' RETURNING module",
    )
    with pytest.raises(Exception, match="no order to purge"), db.transaction() as session:
        for sql in turn:
            attack(session, sql)
        attack(session, EMPTY, "masks")
    with pytest.raises(Exception, match="uq_purge_approval_id"), db.transaction() as session:
        attack(session, turn[0])
        attack(
            session,
            "INSERT INTO registry.purge (module, approval_id, state) "
            "SELECT 'masks', approval_id, 'running' FROM registry.purge RETURNING module",
        )
    with pytest.raises(Exception, match="stays as it was proposed"), db.transaction() as session:
        attack(
            session,
            """UPDATE approvals.proposal SET summary = '{"module": "masks"}' RETURNING id""",
        )


def test_an_order_to_purge_erases_no_act_of_others(module):
    order(module)
    with db.transaction() as session:
        seal(session)
    with db.transaction() as session:
        attack(session, "UPDATE registry.purge SET state = 'running' RETURNING module")
        (others,) = session.execute(
            text(
                "SELECT array_agg(e.id), min(s.number), max(s.number) FROM audit.entry e "
                "JOIN audit.seal s ON s.entry_id = e.id WHERE e.action LIKE 'approvals.%'"
            )
        ).all()
    said = json.dumps({"ground": "mine", "ranges": [list(others[1:])], "rest": ""})
    with pytest.raises(Exception, match="acts of others"), db.transaction() as session:
        attack(session, REDACT, entries=others[0], order=said)


def test_nothing_of_a_module_runs_once_its_purge_is_ordered(module):
    ran = []
    job = Job(name=f"{NAME}.once", cron="@pulse", run=lambda _: ran.append("job"))
    other = replace(module, jobs=(job,), handlers={"something": lambda *_: ran.append("handler")})
    wrapped, handlers = worker._while_it_lives(other, job), worker.handlers_of((other,))

    def happen():
        with db.transaction() as session:
            session.execute(
                text("INSERT INTO jobs.outbox (event, payload) VALUES ('something', '{}')")
            )
        wrapped.run(clock.now())
        dispatch(handlers)

    happen()
    assert ran == ["job", "handler"]
    order(module)
    happen()
    assert ran == ["job", "handler"]


def test_whoever_has_something_there_is_told_once_and_nobody_else(module, fresh_database):
    holder, stranger = people.citizen(), people.citizen()
    with fresh_database.owner() as owner:
        ModuleCanary(module, holder).plant(owner)
    switch(module, "sunset")
    handlers = worker.handlers_of((*worker.contributions(), module))
    for _ in range(3):
        dispatch(handlers)
    with db.transaction() as session:
        told = session.execute(
            text(
                "SELECT account_id, title FROM messages.message WHERE kind = 'privacy.module_sunset'"
            )
        ).all()
    assert [(row.account_id, row.title["zh"]) for row in told] == [
        (holder.account_id, module.title.zh)
    ]
    assert stranger.account_id != holder.account_id


def test_the_command_carries_a_purge_out_and_verifies_its_certificate(
    module, fresh_database, monkeypatch, tmp_path
):
    monkeypatch.setattr(command, "settings", lambda: fresh_database.settings)

    def run(*arguments):
        answer = CliRunner().invoke(command.command, arguments)
        db.install(fresh_database.database)
        return answer

    assert "nobody ordered that" in run("purge", NAME).output
    assert "nobody ordered that" in run("purge", "masks").output
    assert "no module elsewhere" in run("purge", "elsewhere").output
    order(module)
    lines = run("purge", NAME).output.splitlines()
    assert lines[0].startswith(f"step 1 of {len(purging.STEPS)}: ")
    file, key_set = tmp_path / "certificate", tmp_path / "keys"
    file.write_text(lines[-1])
    key_set.write_text(json.dumps(keys.document()))
    said = json.loads(run("certificate", str(file), "--keys", str(key_set)).output)
    assert said["module"] == NAME
    assert run("certificate", str(file)).exit_code == 0
    file.write_text(lines[-1][:-8] + "AAAAAAAA")
    answer = run("certificate", str(file), "--keys", str(key_set))
    assert (answer.exit_code, answer.output) == (1, "not genuine: the signature is wrong\n")
    assert "stays in sunset" in run("switch", NAME, "active", "--reason", "again").output
