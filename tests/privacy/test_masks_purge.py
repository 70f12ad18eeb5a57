"""The end of a service with bookings: they go with it, and nobody who counts on one is forgotten."""

from dataclasses import replace

import approvals_world as approvals
import masks_world
import people
import pytest
import scan
from module_canary import ModuleCanary
from purge_world import order, propose, purge, state, switch
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.audit.services import examine, seal
from citizen_cloud.credentials import keys
from citizen_cloud.portal.state import HOST
from citizen_cloud.privacy.decisions import BookingsAhead
from citizen_cloud.privacy.services import farewell
from citizen_cloud.privacy.services.destruction import read_destruction

NAME = "masks"
PATH = f"/api/v1/open/modules/{NAME}/destruction-certificate"
KERNEL = ("allowance", "ledger", "booking", "slot_text", "slot")


@pytest.fixture
def module(shared_app, fresh_database):
    masks_world.forget_pages()
    yield shared_app.extensions[HOST].modules[NAME]
    masks_world.forget_pages()


def test_a_dump_shows_nothing_of_somebody_who_booked_and_everything_of_other_services(
    shared_app, module, fresh_database
):
    me = ModuleCanary(module, people.citizen())
    before = me.sections_with_the_person(scan.dump(fresh_database.settings.database_owner_url))
    other = replace(module, name="elsewhere")
    with fresh_database.owner() as owner:
        tables = me.plant(owner)
    with db.transaction() as session:
        stranger = ModuleCanary(other, people.citizen())
        stranger._booked(session)
        seal(session)
    planted = scan.dump(fresh_database.settings.database_owner_url)
    assert me.left_in(planted) == sorted(me.traces)
    assert set(KERNEL) <= {place.split(".")[1] for place in me.traces}
    order(module)
    purge(NAME)
    left = scan.dump(fresh_database.settings.database_owner_url)
    assert me.left_in(left) == []
    of_person = me.sections_with_the_person(left)
    assert {t: n for t, n in of_person.items() if not t.startswith("accounts.")} == {
        t: n for t, n in before.items() if not t.startswith("accounts.")
    }
    assert stranger.left_in(left) == sorted(stranger.traces)
    with db.transaction() as session:
        seal(session)
        assert examine(session).findings == []
    answer = shared_app.test_client().get(PATH).json
    said = read_destruction(answer["certificate"], keys=keys.public_keys())
    rows = {one["what"]: one["rows"] for one in said["erased"]}
    assert [rows[f"booking.{table}"] for table in KERNEL] == [1] * len(KERNEL)
    assert {table: rows[table] for table in tables} == dict.fromkeys(tables, 1)
    assert (rows["credentials.credential"], rows["audit.entry"]) == (1, 3)
    assert any("own books" in kept["en"] for kept in said["kept"])


def test_what_the_booking_door_answered_goes_too_and_stays_of_other_services(shared_app, module):
    client, me = shared_app.test_client(), masks_world.citizen()
    offer = masks_world.offer(masks_world.campaign(), masks_world.outlet())
    booking_id = masks_world.book(client, me, offer).json["id"]
    switch(module, "sunset")
    given = client.post(f"/api/v1/bookings/{booking_id}/cancel", headers=me.key(), json={})
    assert given.status_code == 200, given.json
    with db.transaction() as session:
        session.execute(
            text(
                "INSERT INTO web.idempotent_answer "
                "(key_hash, account_id, endpoint, request_hash, status, body) "
                "SELECT key_hash || '\\x00', account_id, endpoint, request_hash, status, "
                "convert_to(replace(convert_from(body, 'UTF8'), 'masks', 'elsewhere'), 'UTF8') "
                "FROM web.idempotent_answer WHERE endpoint LIKE 'bookings.%'"
            )
        )
    order(module)
    purge(NAME)
    with db.transaction() as session:
        left = session.scalars(
            text(
                "SELECT convert_from(body, 'UTF8')::jsonb ->> 'module' FROM web.idempotent_answer "
                "WHERE endpoint NOT LIKE 'approvals%'"
            )
        )
        assert left.all() == ["elsewhere"]


def test_nobody_purges_a_service_in_which_somebody_holds_a_place_to_come(shared_app, module):
    offer = masks_world.offer(masks_world.campaign(), masks_world.outlet())
    me, client = masks_world.citizen(), shared_app.test_client()
    made = masks_world.book(client, me, offer)
    assert made.status_code == 201, made.json
    switch(module, "sunset")
    with db.transaction() as session:
        assert farewell.holders(session, NAME) == [me.account_id]
    with pytest.raises(BookingsAhead) as refused:
        propose(NAME)
    assert refused.value.code == "bookings_ahead"
    # Whoever holds it may still give it back, and then it is no hindrance.
    given = client.post(f"/api/v1/bookings/{made.json['id']}/cancel", headers=me.key(), json={})
    assert given.status_code == 200, given.json
    proposal_id = propose(NAME)
    with db.transaction() as session:
        session.execute(text("UPDATE booking.booking SET status = 'booked'"))
    approvals.agree(proposal_id, approvals.approvers())
    assert (approvals.state(proposal_id), state(NAME)) == ("failed", None)
    masks_world.move_window(offer, ends=-masks_world.timedelta(minutes=1))
    proposal_id = propose(NAME)
    approvals.agree(proposal_id, approvals.approvers())
    assert state(NAME) == "ordered"
