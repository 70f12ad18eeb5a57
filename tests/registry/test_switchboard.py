import time

import pytest
from sqlalchemy import text
from toy import toy

from citizen_cloud import db
from citizen_cloud.errors import StaleVersion
from citizen_cloud.registry import services
from citizen_cloud.registry.switchboard import Switchboard


def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def board(fresh_database):
    board = Switchboard({"toy": toy()}, fresh_database.url)
    yield board
    board.stop()


def switch(state):
    with db.transaction() as session:
        return services.set_state(session, module=toy(), state=state, reason="试验", actor_id=None)


def test_a_module_nobody_switched_is_off(board):
    board.refresh()
    assert board.state("toy") == "off"


def test_a_change_reaches_every_follower_within_five_seconds(fresh_database, board):
    other = Switchboard({"toy": toy()}, fresh_database.url)
    board.start()
    other.start()
    for state in ("active", "draining", "off"):
        began = time.monotonic()
        switch(state)
        assert until(lambda s=state: board.state("toy") == other.state("toy") == s)
        assert time.monotonic() - began < 5
    other.stop()


def test_a_follower_survives_a_lost_connection_and_keeps_the_last_state(fresh_database, board):
    switch("active")
    board.start()
    assert until(lambda: board.state("toy") == "active")
    with fresh_database.owner() as owner:
        owner.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE '%registry%' AND pid <> pg_backend_pid()"
            )
        )
    assert board.state("toy") == "active"
    fresh_database.database.dispose()
    switch("off")
    assert until(lambda: board.state("toy") == "off", seconds=8)


def test_a_switch_is_audited_with_its_reason(fresh_database):
    switch("active")
    with db.statement() as connection:
        entry = connection.execute(text("SELECT action, payload FROM audit.entry")).one()
    assert entry.action == "module.active"
    assert entry.payload == {"module": "toy", "reason": "试验"}


def test_settings_written_over_somebody_elses_change_are_stale(fresh_database):
    with db.transaction() as session:
        first = services.set_settings(session, module=toy(), values={"hours": 2}, actor_id=None)
    with db.transaction() as session:
        services.set_settings(
            session, module=toy(), values={"hours": 3}, actor_id=None, version=first.version
        )
    with pytest.raises(StaleVersion), db.transaction() as session:
        services.set_settings(
            session, module=toy(), values={"hours": 4}, actor_id=None, version=first.version
        )
