"""The cap of a source holds when many batches come at once; news of a colour is prompt."""

import json
import threading
from contextlib import contextmanager

import people
import power_world as world
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.app import contributions
from citizen_cloud.approvals import kinds
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.db import new_id
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.modules.health_code.jobs import power
from citizen_cloud.modules.health_code.rules.batches import COLUMNS, Row
from citizen_cloud.modules.health_code.services.reports import batches, sources
from citizen_cloud.registry.discovery import discover

AT_ONCE = 6
CAP = 5
_SOURCE = text(
    """
    INSERT INTO health_code.source
           (account_id, unit_id, name, algorithm, public_key, kinds, cap_per_hour, registered_in)
    VALUES (:account, :unit, '{}', 'Ed25519', :key, '{test_result}', :cap, :id)
    """
)


@contextmanager
def known_kinds():
    before = tuple(kinds.current().values())
    kinds.install(power.DECISIONS)
    try:
        yield
    finally:
        kinds.install(before)


def a_source():
    """Return the account and key of a source, in a database of the test's own."""
    key = Ed25519PrivateKey.generate()
    hall = people.hall()
    made = world.partners.register(
        hall, kind="service", scopes=(world.EVENTS,), permissions=(world.EVENTS,)
    )
    account_id = world.account_of(made.id)
    facts = {"account": account_id, "unit": hall, "cap": CAP, "id": new_id()}
    with db.transaction() as session:
        session.execute(_SOURCE, {**facts, "key": key.public_key().public_bytes_raw()})
    return world.System(client_id=made.id, account_id=account_id, token="", key=key)


def sent(system, number, crowd):
    cells = [{name: str(world.row(one)[name]) for name in COLUMNS} for one in crowd]
    content = json.dumps(cells).encode()
    reference = f"race-{number}"
    return batches.Sent(
        account_id=system.account_id,
        reference=reference,
        content=content,
        signature=system.sign(reference, content),
        rows=[Row(number=n, cells=one) for n, one in enumerate(cells, 1)],
    )


def at_once(works):
    """Run all at once; return what they raised."""
    start, raised = threading.Barrier(len(works)), []

    def run(work):
        start.wait()
        try:
            with db.transaction() as session:
                batches.take(session, work)
        except Exception as error:  # noqa: BLE001 - kept for the assertion
            raised.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def counted():
    """Return how many facts counted without approval, and how many batches wait."""
    world.place()
    said = world.value("SELECT count(*) FROM health_code.event WHERE approval_id IS NULL")
    waiting = world.value("SELECT count(*) FROM health_code.batch WHERE status = 'waiting'")
    return said, waiting


@pytest.mark.usefixtures("fresh_database")
def test_many_batches_at_once_do_not_pass_the_cap_together():
    system = a_source()
    crowds = [[people.citizen() for _ in range(2)] for _ in range(AT_ONCE)]
    with known_kinds():
        assert at_once([sent(system, n, crowd) for n, crowd in enumerate(crowds)]) == []
    assert counted() == (4, AT_ONCE - 2)


@pytest.mark.usefixtures("fresh_database")
def test_without_the_lock_they_would(monkeypatch):
    """The control of the one above."""
    system = a_source()
    crowds = [[people.citizen() for _ in range(2)] for _ in range(AT_ONCE)]
    meet = threading.Barrier(AT_ONCE)
    monkeypatch.setattr(sources, "lock", lambda *_: meet.wait(30))
    monkeypatch.setattr(
        batches, "_keep", lambda *facts, real=batches._keep: (meet.wait(30), real(*facts))[1]
    )
    with known_kinds():
        at_once([sent(system, n, crowd) for n, crowd in enumerate(crowds)])
    assert counted()[0] > CAP


@pytest.mark.usefixtures("fresh_database")
def test_one_batch_sent_many_times_at_once_counts_once():
    system = a_source()
    crowd = [people.citizen() for _ in range(2)]
    with known_kinds():
        assert at_once([sent(system, 0, crowd)] * AT_ONCE) == []
    assert counted() == (2, 0)


def test_somebody_turned_red_by_hand_is_told_within_a_minute_why_and_how_to_object(client):
    someone = people.citizen()
    began = clock.now()
    world.agree(client, world.assign(client, people.staff(people.hall()), [someone]))
    handlers = handlers_of((*contributions(), *discover().modules.values()))
    while dispatch(handlers):
        pass
    [row] = world.rows(
        "SELECT body, created_at FROM messages.message "
        "WHERE account_id = :a AND kind = 'health_code.colour'",
        a=someone.account_id,
    )
    assert "申诉" in row.body["zh"]
    assert "appeal" in row.body["en"].lower()
    assert (row.created_at - began).total_seconds() < 60


def test_the_module_hears_what_these_powers_wait_for():
    """Of two parts of a module that name one event, only one would hear of it."""
    heard = discover().modules["health_code"].handlers
    for word in ("rejected", "withdrawn", "expired", "failed"):
        assert heard[f"approvals.{word}"] is power.not_agreed
