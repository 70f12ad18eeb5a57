"""What runs without a request: messages, reminders, expiry, outlets that leave."""

from dataclasses import replace
from datetime import timedelta

import masks_world as world
import pytest
from masks_world import API
from sqlalchemy import text

from citizen_cloud import clock, crypto, db
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.credentials.services.reissuing import reissue_batch
from citizen_cloud.credentials.services.revoking import revoke_key
from citizen_cloud.crypto import KeyRing
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.manifest import Subject
from citizen_cloud.modules.masks import jobs
from citizen_cloud.modules.masks.manifest import module
from citizen_cloud.organisations.services import Actor, change_organisation


@pytest.fixture
def booked(client, app):
    me, outlet = world.citizen(), world.outlet()
    offer_id = world.offer(world.campaign(), outlet)
    made = world.book(client, me, offer_id, 2)
    assert made.status_code == 201
    return {"me": me, "offer": offer_id, "outlet": outlet, **made.json}


def deliver():
    handlers = handlers_of([module])
    while dispatch(handlers):
        pass
    failed = world.value("SELECT count(*) FROM jobs.outbox WHERE error IS NOT NULL")
    assert failed == 0


def inbox(who):
    with db.transaction() as session:
        rows = session.execute(
            text(
                "SELECT kind, title, body, subject_id FROM messages.message "
                "WHERE account_id = :a ORDER BY id"
            ),
            {"a": who.account_id},
        )
        return [dict(row) for row in rows.mappings()]


def test_a_booking_is_told_once_in_both_languages(booked):
    deliver()
    world.value("UPDATE jobs.outbox SET done_at = NULL RETURNING 1")
    deliver()
    told = inbox(booked["me"])
    assert [one["kind"] for one in told] == ["masks.booked"]
    for language in ("zh", "en"):
        assert booked["reference"] in told[0]["body"][language]
        assert "{" not in told[0]["body"][language]
    assert "08:00–12:00" in told[0]["body"]["zh"]
    assert str(told[0]["subject_id"]) == booked["id"]


def test_cancelling_is_told_and_kills_the_code(client, booked):
    me, path = booked["me"], f"/api/v1/bookings/{booked['id']}"
    client.get(f"{path}/code", headers=me.headers)
    client.post(f"{path}/cancel", json={}, headers=me.headers)
    deliver()
    assert [one["kind"] for one in inbox(me)] == ["masks.booked", "masks.cancelled"]
    assert live_codes() == 0


def live_codes():
    return world.value("SELECT count(*) FROM credentials.credential WHERE revoked_at IS NULL")


def test_what_nobody_collected_expires_and_returns_to_stock_but_the_code_dies(client, booked):
    me = booked["me"]
    client.get(f"/api/v1/bookings/{booked['id']}/code", headers=me.headers)
    assert jobs.expire_unclaimed(clock.now()) == 0
    world.move_window(booked["offer"], begins=timedelta(hours=-2), ends=timedelta(seconds=-1))
    assert jobs.expire_unclaimed(clock.now()) == 1
    assert jobs.expire_unclaimed(clock.now()) == 0
    assert world.slot(booked["offer"])["taken"] == 0
    shown = client.get(f"/api/v1/bookings/{booked['id']}", headers=me.headers).json
    assert (shown["status"], shown["actions"]) == ("expired", [])
    deliver()
    assert [one["kind"] for one in inbox(me)] == ["masks.booked", "masks.expired"]
    assert live_codes() == 0


def test_a_worker_whose_clock_runs_fast_expires_nothing(booked):
    assert jobs.expire_unclaimed(clock.now() + timedelta(days=30)) == 0
    assert world.slot(booked["offer"])["taken"] == 2


def test_handing_over_and_taking_back_are_told(client, booked):
    world.move_window(booked["offer"])
    clerk = world.clerk(booked["outlet"])
    pair = {"reference": booked["reference"], "document_number": booked["me"].document_number}
    done = client.post(f"{API}/staff/redemptions", json=pair, headers=clerk.headers).json
    client.post(f"{API}/staff/redemptions/{done['id']}/undo", headers=clerk.headers)
    deliver()
    kinds = {one["kind"] for one in inbox(booked["me"])}
    assert kinds == {"masks.booked", "masks.fulfilled", "masks.undone"}


def age(booking_id, **by):
    world.value(
        "UPDATE booking.booking SET booked_at = booked_at - :by WHERE id = :id RETURNING 1",
        id=booking_id,
        by=timedelta(**by),
    )


def test_holders_are_reminded_once_when_the_window_is_near(client, booked):
    me = booked["me"]
    age(booked["id"], days=2)
    world.move_window(booked["offer"], begins=timedelta(hours=17), ends=timedelta(hours=20))
    assert jobs.remind_holders(clock.now()) == 0
    world.move_window(booked["offer"], begins=timedelta(hours=15), ends=timedelta(hours=20))
    assert jobs.remind_holders(clock.now()) == 1
    assert jobs.remind_holders(clock.now()) == 0
    assert [one["kind"] for one in inbox(me)] == ["masks.reminder"]


def test_who_booked_a_moment_ago_or_cancelled_is_not_reminded(client, booked):
    world.move_window(booked["offer"], begins=timedelta(hours=2), ends=timedelta(hours=4))
    assert jobs.remind_holders(clock.now()) == 0
    age(booked["id"], days=2)
    path = f"/api/v1/bookings/{booked['id']}/cancel"
    assert client.post(path, json={}, headers=booked["me"].headers).status_code == 200
    assert jobs.remind_holders(clock.now()) == 0


def test_the_hours_of_the_reminder_are_a_setting(booked):
    age(booked["id"], days=5)
    world.move_window(booked["offer"], begins=timedelta(hours=40), ends=timedelta(hours=44))
    assert jobs.remind_holders(clock.now()) == 0
    world.value(
        "INSERT INTO registry.module (name, state, settings) "
        "VALUES ('masks', 'active', '{\"reminder_hours\": 48}') "
        "ON CONFLICT (name) DO UPDATE SET settings = excluded.settings RETURNING 1"
    )
    assert jobs.remind_holders(clock.now()) == 1


def change(outlet, status):
    with db.transaction() as session:
        change_organisation(
            session,
            organisation_id=outlet,
            changes={"status": status},
            expected_version=None,
            actor=Actor("admin", None),
        )


def test_an_outlet_the_platform_pauses_closes_its_slots_and_keeps_its_promises(booked):
    change(booked["outlet"], "paused")
    deliver()
    assert world.slot(booked["offer"])["status"] == "closed"
    assert world.slot(booked["offer"])["taken"] == 2
    change(booked["outlet"], "active")
    deliver()
    assert world.slot(booked["offer"])["status"] == "open"


def test_an_outlet_that_leaves_releases_its_bookings_with_a_message(client, booked):
    me = booked["me"]
    change(booked["outlet"], "closed")
    deliver()
    assert world.slot(booked["offer"])["taken"] == 0
    told = inbox(me)
    assert [one["kind"] for one in told] == ["masks.booked", "masks.outlet_closed"]
    assert "停用" in told[1]["body"]["zh"]
    other = world.offer(world.campaign(), world.outlet())
    assert world.book(client, me, other, 2).status_code == 201


def test_a_citizen_who_writes_the_outlets_reason_is_told_of_his_own_cancellation(client, booked):
    path = f"/api/v1/bookings/{booked['id']}/cancel"
    body = {"reason": "outlet_closed"}
    assert client.post(path, json=body, headers=booked["me"].headers).status_code == 200
    deliver()
    assert [one["kind"] for one in inbox(booked["me"])] == ["masks.booked", "masks.cancelled"]


def test_other_modules_bookings_are_none_of_ours(booked):
    world.value('UPDATE jobs.outbox SET payload = payload || \'{"module": "clinics"}\' RETURNING 1')
    deliver()
    assert inbox(booked["me"]) == []


def test_export_and_erasure_cover_what_the_module_holds(client, booked):
    world.move_window(booked["offer"])
    clerk = world.clerk(booked["outlet"])
    pair = {"reference": booked["reference"], "document_number": booked["me"].document_number}
    client.post(f"{API}/staff/redemptions", json=pair, headers=clerk.headers)
    me = booked["me"]
    subject = Subject(account_id=me.account_id, person_id=me.person_id)
    with db.transaction() as session:
        held = module.personal_data.export(session, subject)
        assert held["collected"][0]["reference"] == booked["reference"]
        clerks = module.personal_data.export(session, Subject(account_id=clerk.account_id))
        assert clerks["as_clerk"] == {"handed_over": 1, "taken_back": 0}
        session.execute(
            text("INSERT INTO masks.reminder (booking_id) VALUES (:b)"), {"b": booked["id"]}
        )
        assert module.personal_data.erase(session, subject, clock.now()) == 1
        assert module.personal_data.erase(session, subject, clock.now()) == 0


@pytest.fixture
def second_key(client):
    """Hold a second key of codes beside the one that signs."""
    held = crypto.current()
    ring = KeyRing({**held.credentials.keys, "k2": b"2" * 32})
    crypto._current[:] = [replace(held, credentials=ring)]
    yield
    crypto._current[:] = [held]


def reissue(kid):
    with db.transaction() as session:
        revoke_key(session, kid=kid, reason="compromised", by="test")
    with db.transaction() as session:
        return reissue_batch(session, kids=[kid], size=100).done


def code_of(booked):
    return f"/api/v1/bookings/{booked['id']}/code"


@pytest.mark.parametrize("status", ["fulfilled", "cancelled", "expired"])
def test_whoever_waits_for_nothing_more_is_told_of_no_new_code(booked, client, second_key, status):
    client.get(code_of(booked), headers=booked["me"].headers)
    assert reissue("c.k1") == 1
    world.value(f"UPDATE booking.booking SET status = '{status}' RETURNING 1")
    deliver()
    assert "masks.renewed" not in {one["kind"] for one in inbox(booked["me"])}


def test_a_holder_is_told_once_that_the_code_was_issued_anew(booked, client, second_key):
    deliver()
    path = code_of(booked)
    before = client.get(path, headers=booked["me"].headers).json["code"]
    assert reissue("c.k1") == 1
    for _ in range(2):
        deliver()
        world.value("UPDATE jobs.outbox SET done_at = NULL RETURNING 1")
    told = [one for one in inbox(booked["me"]) if one["kind"] == "masks.renewed"]
    assert len(told) == 1
    for language in ("zh", "en"):
        assert booked["reference"] in told[0]["body"][language]
        assert "{" not in told[0]["body"][language]
    assert str(told[0]["subject_id"]) == booked["id"]
    assert client.get(path, headers=booked["me"].headers).json["code"] != before
