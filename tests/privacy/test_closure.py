"""Asking to leave, thinking it over, staying after all."""

from hashlib import sha256

import canary
import people
import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.booking import combiner
from citizen_cloud.booking import services as kernel
from citizen_cloud.privacy import jobs
from citizen_cloud.privacy.refusals import ClosureInProgress
from citizen_cloud.privacy.rules import REST
from citizen_cloud.privacy.services import closures


def scalar(sql, **facts):
    with db.transaction() as session:
        return session.scalar(text(sql), facts)


def test_asking_signs_out_everywhere_and_tells_the_phone(me, sms):
    second = me.token
    me.sign_in()
    asked = me.send("POST", "/me/closure", {"reason": "privacy"}, status=202).json
    assert asked["status"] == "cooling"
    assert len(asked["secret"]) >= 43
    for token in (me.token, second):
        me.token = token
        me.send("GET", "/me", status=401)
    canary.work()
    assert "注销" in sms.read_text().splitlines()[-1]
    stored = scalar("SELECT to_jsonb(c)::text FROM privacy.closure c ORDER BY id DESC LIMIT 1")
    assert asked["secret"] not in stored


def test_signing_in_again_and_undoing_keeps_everything(client, me):
    asked = me.send("POST", "/me/closure", status=202).json
    me.sign_in()
    shown = me.send("GET", "/me/closure").json["closure"]
    assert (shown["id"], "secret" in shown) == (asked["id"], False)
    assert me.send("POST", "/me/closure", status=409).json["code"] == "closure_in_progress"
    me.send("DELETE", "/me/closure", status=204)
    me.send("DELETE", "/me/closure", status=204)
    assert me.send("GET", "/me/closure").json["closure"] is None
    canary.pass_time(asked["id"])
    assert jobs.carry_out_closures(None) == 0
    me.send("GET", f"/bookings/{me.bookings['ahead']['id']}")
    undone = canary.certificate(client, asked).json
    assert (undone["status"], undone["certificate"]) == ("undone", None)


def test_nothing_is_carried_out_before_its_day(me):
    me.send("POST", "/me/closure", status=202)
    assert jobs.carry_out_closures(None) == 0
    assert scalar("SELECT count(*) FROM privacy.closure WHERE status = 'cooling'") == 1
    me.sign_in()
    me.send("GET", f"/bookings/{me.bookings['ahead']['id']}")


def test_what_is_carried_out_can_not_be_undone(me):
    asked = me.send("POST", "/me/closure", status=202).json
    me.sign_in()
    canary.pass_time(asked["id"])
    jobs.carry_out_closures(None)
    me.send("DELETE", "/me/closure", status=401)


def test_whoever_undoes_while_the_account_is_being_shut_is_not_told_that_all_is_well(me):
    """The gate let the request in; the job came between."""
    asked = me.send("POST", "/me/closure", status=202).json
    canary.pass_time(asked["id"])
    jobs.carry_out_closures(None)
    with db.transaction() as session, pytest.raises(ClosureInProgress):
        closures.undo_closure(session, account_id=me.account_id)
    assert scalar("SELECT status FROM privacy.closure WHERE id = :id", id=asked["id"]) == "closing"


def test_what_was_let_in_before_the_account_was_shut_has_ended_when_the_erasure_begins(app):
    """Waiting for a turn, a connection and the database, one after the other."""
    with db.statement() as connection:
        longest = connection.scalar(
            text("SELECT cast(current_setting('statement_timeout') AS interval)")
        )
    assert longest.total_seconds() > 0
    waits = combiner.PATIENCE_S + 5 + longest.total_seconds()
    assert waits < REST.total_seconds()


def test_staff_do_not_close_themselves(client, app):
    clerk = people.staff(people.pharmacy())
    answer = client.post("/api/v1/me/closure", headers=clerk.headers)
    assert (answer.status_code, answer.json["code"]) == (409, "staff_cannot_close")


def test_an_account_without_a_person_may_leave_as_well(client, sms):
    me = canary.Canary(client, sms)
    me.sign_in()
    me.account_id = me.send("GET", "/me").json["account_id"]
    canary.close(me)
    assert canary.found(me.values) == set()


def test_a_reason_is_a_word_of_the_list(me):
    me.send("POST", "/me/closure", {"reason": "because"}, status=422)


def test_what_was_booked_for_somebody_else_stays_theirs(me):
    other = people.citizen()
    campaign = scalar("SELECT campaign_id FROM masks.offer LIMIT 1")
    offer = people.offer(campaign_id=campaign, organisation_id=me.outlet, day=6)
    with db.statement() as connection:
        order = kernel.Order(
            slot_id=offer,
            person_id=other.person_id,
            person_key=other.person_key,
            booked_by=me.account_id,
            quantity=1,
            request_key="for-another",
            request_hash=sha256(b"x").digest(),
            quota=None,
            actor_kind="citizen",
        )
        booking_id = kernel.book(connection, order=order).booking_id
    canary.close(me)
    assert scalar("SELECT status FROM booking.booking WHERE id = :id", id=booking_id) == "booked"


@pytest.mark.parametrize("days", ["-1", "16", "x"])
def test_the_time_to_think_is_fifteen_days_at_most(monkeypatch, settings, days):
    from citizen_cloud.config import SettingsError, load_settings

    for name in (
        "TOKEN_KEYS",
        "FIELD_KEYS",
        "LOOKUP_KEYS",
        "QUOTA_KEY",
        "CREDENTIAL_KEYS",
        "TRUST_KEYS",
    ):
        monkeypatch.setenv(f"CITIZEN_CLOUD_{name}", settings.token_keys)
    monkeypatch.setenv("DATABASE_URL", "postgresql://localhost/x")
    monkeypatch.setenv("CITIZEN_CLOUD_ENV", "embedded")
    monkeypatch.setenv("CITIZEN_CLOUD_CLOSURE_DAYS", days)
    with pytest.raises(SettingsError, match="CLOSURE_DAYS"):
        load_settings()
