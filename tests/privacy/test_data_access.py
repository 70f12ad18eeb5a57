"""Who looked at whom: shown to the person, stopped in bulk, alarmed at made-up people."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import canary
import people
import pytest
from click.testing import CliRunner
from sqlalchemy import text
from structlog.testing import capture_logs

from citizen_cloud import db
from citizen_cloud.accounts.models import Account
from citizen_cloud.accounts.refusals import BulkReadStopped
from citizen_cloud.accounts.services import data_access, honey
from citizen_cloud.accounts.services.data_access import Look, note_access, note_list
from citizen_cloud.cli import privacy as cli
from citizen_cloud.crypto import current
from citizen_cloud.db import new_id
from citizen_cloud.errors import Forbidden

DAY = "/api/v1/masks/staff/bookings"


@pytest.fixture
def me(client, sms):
    """A citizen whom only the masks counter looked at."""
    return canary.full(client, sms, parts=())


def scalar(sql, **facts):
    with db.transaction() as session:
        return session.scalar(text(sql), facts)


def looks(me):
    return me.send("GET", "/me/data-access").json["items"]


@contextmanager
def at_most(persons):
    before = list(data_access._most)
    data_access._most[:] = [persons]
    try:
        yield
    finally:
        data_access._most[:] = before


def look(person_id, reader_id, **facts):
    return replace(
        Look(
            person_id=person_id,
            reader_kind="staff",
            reader_id=reader_id,
            purpose="masks.redeem",
            categories=("name",),
            basis_type="booking",
        ),
        **facts,
    )


# What the person sees


def test_a_hand_over_and_a_wrong_document_before_it_are_shown_with_the_place_and_no_name(me):
    read, refused = looks(me)
    assert (read["outcome"], refused["outcome"]) == ("read", "refused")
    for one in (read, refused):
        assert one["reader"]["organisation"]["zh"] == "海天大药房"
        assert one["reader"]["role"] == {"zh": "工作人员", "en": "Staff"}
        assert one["reader"]["name"] is None
        assert one["basis"]["id"] == me.bookings["redeemed"]["id"]
        assert {each["name"] for each in one["categories"]} == {"name", "bookings", "document"}
        assert str(me.clerk.account_id) not in str(one)


def test_a_wrong_document_at_another_counter_tells_the_holder_nothing(me):
    stranger = people.staff(people.pharmacy("别家药店"))
    body = {"reference": me.bookings["ahead"]["reference"], "document_number": people.document()}
    me.send("POST", "/masks/staff/redemptions", body, headers=stranger.headers, status=404)
    assert len(looks(me)) == 2


def test_the_days_list_notes_whose_names_were_shown_once_an_hour(client, me):
    on = me.bookings["ahead"]["slot"]["starts_at"][:10]
    for _ in range(3):
        shown = client.get(DAY, query_string={"date": on}, headers=me.clerk.headers)
        assert [one["person_name"] for one in shown.json["items"]] == ["欧**𠮷"]
    listed = [one for one in looks(me) if one["purpose"] == "masks.day_list"]
    assert len(listed) == 1
    assert listed[0]["purpose_text"]["en"] == "The day's list of an outlet"


def test_a_name_is_not_shown_when_the_booking_is_over_for_a_day(client, me):
    ahead = me.bookings["ahead"]
    on = ahead["slot"]["starts_at"][:10]
    with db.transaction() as session:
        session.execute(
            text(
                "UPDATE booking.slot SET starts_at = starts_at - interval '9 days', opens_at = "
                "opens_at - interval '9 days', closes_at = closes_at - interval '9 days', "
                "ends_at = ends_at - interval '9 days' WHERE id = :id"
            ),
            {"id": ahead["slot"]["id"]},
        )
    shown = client.get(DAY, query_string={"date": on}, headers=me.clerk.headers).json["items"]
    assert [one["person_name"] for one in shown] == [""]
    found = client.get(DAY, query_string={"date": on, "q": "欧阳"}, headers=me.clerk.headers)
    assert found.json["items"] == []
    assert not [one for one in looks(me) if one["purpose"] == "masks.day_list"]


def test_a_proxy_is_shown_masked_and_a_system_by_its_name(me):
    proxy = people.citizen(name="李四光")
    system = new_id()
    with db.transaction() as session:
        sealed = current().seal("市第一医院", place=data_access_place(system))
        session.add(Account(id=system, kind="service", display_name_sealed=sealed))
        session.flush()
        by = partial(look, me.person_id, basis_type="link", purpose="families.proxy")
        note_access(session, by(proxy.account_id, reader_kind="proxy"))
        note_access(session, by(system, reader_kind="service", purpose="hospitals.results"))
    service, family, *_ = looks(me)
    assert service["reader"]["name"] == "市第一医院"
    assert service["purpose_text"] == {"zh": "其他业务", "en": "Other business"}
    assert (family["reader"]["name"], family["reader"]["role"]["zh"]) == ("李*光", "代办人")


def data_access_place(account_id):
    return f"accounts.account:display_name:{account_id}"


def test_looks_are_paged_and_nobody_elses(me):
    first = me.send("GET", "/me/data-access?limit=1").json
    second = me.send("GET", f"/me/data-access?limit=1&cursor={first['next_cursor']}").json
    assert [first["items"], second["items"]] == [[one] for one in looks(me)]
    assert second["next_cursor"] is None
    other = people.citizen()
    assert me.send("GET", "/me/data-access", headers=other.headers).json["items"] == []


# Too many


@pytest.fixture
def crowd(app):
    return [people.citizen() for _ in range(4)]


def test_a_reader_is_stopped_at_one_person_too_many_and_not_for_the_same_ones(crowd):
    clerk = new_id()
    with at_most(3), db.transaction() as session:
        for one in [*crowd[:3], *crowd[:3]]:
            note_access(session, look(one.person_id, clerk))
        with pytest.raises(BulkReadStopped) as stopped:
            note_access(session, look(crowd[3].person_id, clerk))
        assert stopped.value.facts["retry_after"] == 3600
        note_access(session, look(crowd[3].person_id, new_id()))


def test_an_hour_later_the_count_begins_anew(crowd):
    clerk, now = new_id(), datetime.now(UTC)
    with at_most(3), db.transaction() as session:
        for one in crowd[:3]:
            note_access(session, look(one.person_id, clerk), now=now)
        note_access(session, look(crowd[3].person_id, clerk), now=now + timedelta(minutes=61))


@pytest.mark.parametrize(
    "facts",
    [{"reader_kind": "proxy"}, {"basis_type": "consent"}, {"outcome": "refused"}],
    ids=["a proxy", "by the person's own consent", "a refused look"],
)
def test_what_is_no_reading_by_office_is_not_counted(crowd, facts):
    clerk = new_id()
    with at_most(1), db.transaction() as session:
        for one in crowd:
            note_access(session, look(one.person_id, clerk, **facts))


def test_a_list_counts_everybody_on_it(crowd):
    clerk = new_id()
    with at_most(3), db.transaction() as session:
        note_list(session, [look(one.person_id, clerk) for one in crowd[:3]])
        with pytest.raises(BulkReadStopped):
            note_list(session, [look(one.person_id, clerk) for one in crowd])
        note_list(session, [])


def test_the_refusal_is_noted_and_alarmed_although_its_transaction_was_rolled_back(client, me):
    """Once an hour for one reader; the person sees each attempt."""
    on = me.bookings["ahead"]["slot"]["starts_at"][:10]
    with at_most(0):
        for _ in range(3):
            answer = client.get(DAY, query_string={"date": on}, headers=me.clerk.headers)
            assert (answer.status_code, answer.json["code"]) == (429, "bulk_read_stopped")
            assert answer.headers["Retry-After"] == "3600"
    alarms = (
        "SELECT count(*) FROM audit.entry WHERE action = 'privacy.bulk_read' AND object_id = :id"
    )
    assert scalar(alarms, id=me.clerk.account_id) == 1
    listed = [one for one in looks(me) if one["purpose"] == "masks.day_list"]
    assert [one["outcome"] for one in listed] == ["refused"]


def test_what_could_not_be_written_down_is_not_answered_as_if_it_were(client, me, monkeypatch):
    monkeypatch.setattr(data_access, "_alarm", lambda *_, **__: 1 / 0)
    on = me.bookings["ahead"]["slot"]["starts_at"][:10]
    with at_most(0):
        answer = client.get(DAY, query_string={"date": on}, headers=me.clerk.headers)
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")


def test_a_refusal_carries_what_is_to_be_recorded():
    seen = []
    refusal = Forbidden().but_record(seen.append)
    for work in refusal.afterwards:
        work("a session")
    assert seen == ["a session"]


# Made-up people


def test_a_look_at_a_made_up_person_is_an_alarm_and_answered_as_always(me):
    with db.transaction() as session:
        honey.mark(session, person_id=me.person_id)
    body = {"reference": me.bookings["ahead"]["reference"], "document_number": people.document()}
    with capture_logs() as said:
        me.send("POST", "/masks/staff/redemptions", body, headers=me.clerk.headers, status=404)
    with db.transaction() as session:
        alarm = session.execute(
            text("SELECT * FROM audit.entry WHERE action = 'privacy.honey_read'")
        ).one()
    assert (str(alarm.object_id), alarm.actor_id) == (me.person_id, me.clerk.account_id)
    assert [one["event"] for one in said] == ["privacy.honey_read"]
    assert me.person_id not in str(said)


def test_the_command_marks_lists_and_unmarks(fresh_database, monkeypatch):
    monkeypatch.setattr(cli, "settings_of_run", lambda: fresh_database.settings)
    someone = people.citizen()

    def run(*words):
        done = CliRunner().invoke(cli.command, ["honey", *words])
        return done.exit_code, done.output

    assert run("add", str(someone.person_id))[0] == 0
    assert run("add", str(someone.person_id))[0] == 0
    assert str(someone.person_id) in run("list")[1]
    assert run("remove", str(someone.person_id))[0] == 0
    assert run("list") == (0, "")
    code, said = run("add", str(new_id()))
    assert (code, "no person has the id" in said) == (1, True)


def test_the_canary_can_be_erased_although_marked(me):
    with db.transaction() as session:
        honey.mark(session, person_id=me.person_id)
    canary.close(me)
    assert scalar("SELECT count(*) FROM accounts.honey_person") == 0
