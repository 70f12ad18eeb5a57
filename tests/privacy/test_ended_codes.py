"""Codes of a service that came to its end: dead everywhere, also without any record of them."""

import threading
from datetime import timedelta

import people
import pytest
from purge_world import order, purge, switch
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from citizen_cloud import clock, db
from citizen_cloud.credentials import keys, queries, services
from citizen_cloud.credentials.jobs import publish_snapshot
from citizen_cloud.credentials.refusals import CredentialRevoked
from citizen_cloud.credentials.services.reissuing import left
from citizen_cloud.credentials.services.revoking import revoke_key
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Outcome, Snapshot
from citizen_cloud.errors import Unavailable
from citizen_cloud.portal.state import HOST
from citizen_cloud.privacy import owners
from citizen_cloud.privacy.jobs import purge_modules
from citizen_cloud.privacy.services import purging
from citizen_cloud.registry.services import set_state

TYPES = frozenset({"hc", "ht", "hp", "voucher"})
SNAPSHOT = "/.well-known/credential-snapshot.jwt"


@pytest.fixture
def modules(shared_app, fresh_database):
    queries.forget()
    yield shared_app.extensions[HOST].modules
    queries.forget()


def paper(holder_id=None):
    with db.transaction() as session:
        return services.issue_held(
            session,
            type="hp",
            holder_id=holder_id or people.new_id(),
            colour="green",
            expires_at=None,
            name="王*",
        )


def newest():
    with db.transaction() as session:
        return Snapshot.read(publish(session).text, keys.roots())


def at_gate(code, snapshot, *, after=1):
    gate = OfflineVerifier(snapshot, Gate(types=TYPES))
    return gate.check(code.text, now=clock.now() + timedelta(seconds=after)).outcome


def test_a_paper_code_of_a_purged_service_is_refused_where_no_record_is_left(modules):
    code = paper()
    assert at_gate(code, newest()) is Outcome.VALID
    order(modules["health_code"])
    purge("health_code")
    with db.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM credentials.credential")) == 0
    assert at_gate(code, newest()) is Outcome.REVOKED


def voucher(subject_id):
    now = clock.now()
    with db.transaction() as session:
        return services.issue(
            session,
            type="voucher",
            subject_id=subject_id,
            not_before=now - timedelta(minutes=1),
            expires_at=now + timedelta(hours=4),
        )


def online(code):
    with db.transaction() as session:
        return services.verify(session, code=code.text, type="voucher").jti


def test_a_sunset_ends_codes_at_once_and_those_of_no_other_service(modules):
    code, ticket = paper(), voucher(people.new_id())
    switch(modules["health_code"], "sunset")
    told = newest()
    assert told.ended_types == dict.fromkeys(("hc", "hp", "ht"))
    assert (at_gate(code, told), at_gate(ticket, told)) == (Outcome.REVOKED, Outcome.VALID)
    assert online(ticket) == ticket.jti
    # Also one that a lagging process, or a thief, issues now.
    assert at_gate(paper(), told) is Outcome.REVOKED
    switch(modules["masks"], "off")
    assert at_gate(ticket, newest()) is Outcome.VALID
    switch(modules["masks"], "sunset")
    assert at_gate(ticket, newest()) is Outcome.REVOKED


def test_codes_of_before_a_sunset_stay_dead_and_new_ones_count_from_the_first_second(modules):
    subject_id = people.new_id()
    code, ticket = paper(), voucher(subject_id)
    for name in ("health_code", "masks"):
        switch(modules[name], "sunset")
    with pytest.raises(CredentialRevoked):
        online(ticket)
    with pytest.raises(Unavailable):
        voucher(subject_id)
    # Issued in the second in which the service begins again, and before it does.
    late = paper()
    for name in ("health_code", "masks"):
        switch(modules[name], "active")
    fresh, anew = paper(), voucher(subject_id)
    told = newest()
    assert anew.jti != ticket.jti
    assert [at_gate(one, told) for one in (code, late, ticket)] == [Outcome.REVOKED] * 3
    assert [at_gate(one, told) for one in (fresh, anew)] == [Outcome.VALID] * 2
    with pytest.raises(CredentialRevoked):
        online(ticket)
    assert online(anew) == anew.jti
    # A second end says so of these as well.
    switch(modules["health_code"], "sunset")
    switch(modules["health_code"], "active")
    assert at_gate(fresh, newest()) is Outcome.REVOKED
    assert newest().ended_types["hp"] > told.ended_types["hp"]


def test_what_ended_is_no_longer_listed_one_by_one_and_stays_void(modules):
    holder_id = people.new_id()
    code = paper(holder_id)
    with db.transaction() as session:
        services.suspend_held(session, holders=[holder_id], types=["hp"])
    assert newest().is_void(code.jti)
    switch(modules["health_code"], "sunset")
    told = newest()
    assert (told.void, at_gate(code, told)) == (b"", Outcome.REVOKED)


def test_verifiers_are_told_before_the_first_record_goes(modules, fresh_database):
    """A service that went into sunset before there were ends to tell of."""
    paper()
    order(modules["health_code"])
    with fresh_database.owner() as owner:
        owner.execute(text("DELETE FROM registry.ended_type"))
    before = newest()
    assert before.ended_types == {}
    with db.transaction() as session:
        purging.advance(session, owners.current().endings["health_code"])
    with db.transaction() as session:
        row = session.execute(
            text("SELECT number, text FROM credentials.snapshot ORDER BY number DESC LIMIT 1")
        ).one()
        assert session.scalar(text("SELECT count(*) FROM credentials.credential")) == 1
    assert row.number > before.number
    assert "hp" in Snapshot.read(row.text, keys.roots()).ended_types


def test_the_worker_ends_what_a_newer_version_of_a_service_names(modules, fresh_database):
    switch(modules["health_code"], "sunset")
    with fresh_database.owner() as owner:
        owner.execute(text("DELETE FROM registry.ended_type WHERE type = 'hp'"))
    purge_modules(None)
    assert "hp" in newest().ended_types
    assert "voucher" not in newest().ended_types


def test_the_application_takes_no_end_back(modules):
    switch(modules["health_code"], "sunset")
    with pytest.raises(ProgrammingError, match="permission denied"), db.transaction() as session:
        session.execute(text("DELETE FROM registry.ended_type"))


def test_codes_of_an_ended_service_are_not_issued_anew(modules):
    code, ticket = paper(), voucher(people.new_id())
    switch(modules["health_code"], "sunset")
    with db.transaction() as session:
        revoke_key(session, kid="c.k1", reason="compromised", by="tester")
        assert left(session, kids=["c.k1"]) == 1
    assert code.jti != ticket.jti


def test_the_door_of_snapshots_says_within_seconds_that_a_service_ended(modules, shared_app):
    client = shared_app.test_client()
    assert Snapshot.read(client.get(SNAPSHOT).text, keys.roots()).ended_types == {}
    switch(modules["health_code"], "sunset")
    publish_snapshot(clock.now())
    queries._kept._until = 0.0
    assert "hp" in Snapshot.read(client.get(SNAPSHOT).text, keys.roots()).ended_types


def test_the_worker_ends_nothing_of_a_service_that_begins_again_at_that_instant(modules):
    switch(modules["health_code"], "sunset")
    worker = threading.Thread(target=purge_modules, args=(None,))
    with db.transaction() as session:
        set_state(
            session,
            module=modules["health_code"],
            state="active",
            reason="又来了",
            actor_id=None,
        )
        worker.start()
        worker.join(0.3)
        assert worker.is_alive()
    worker.join()
    assert newest().ended_types["hp"] is not None
