"""Codes of a service that came to its end: dead everywhere, also without any record of them."""

from datetime import timedelta

import people
import pytest
from purge_world import order, purge
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.credentials import keys, queries, services
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.credentials.verifier import Gate, OfflineVerifier, Outcome, Snapshot
from citizen_cloud.portal.state import HOST

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
