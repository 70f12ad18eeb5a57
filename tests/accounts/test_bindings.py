"""Whom a staff account stands for: asked by the one account, confirmed by the other, told to both."""

from datetime import timedelta

import people
import pytest
from places_world import deliver
from sqlalchemy import text

from citizen_cloud import clock, db
from citizen_cloud.accounts.refusals import BindingCodeInvalid
from citizen_cloud.accounts.services import bindings, standing_for
from citizen_cloud.accounts.services.erasing import erase_data
from citizen_cloud.accounts.services.personal_data import export_data
from citizen_cloud.manifest import Subject

ME = "/api/v1/me"


@pytest.fixture
def clerk(app):
    return people.staff(people.pharmacy())


def ask(client, someone):
    return client.post(f"{ME}/person-binding", headers=someone.headers)


def preview(client, someone, code):
    path = f"{ME}/staff-accounts/preview"
    return client.post(path, json={"code": code}, headers=someone.headers)


def confirm(client, someone, code, username=None):
    """Confirm what was shown, as an app does; whose account a code of nobody is, is not known."""
    if username is None:
        shown = preview(client, someone, code)
        username = shown.json["username"] if shown.status_code == 200 else "nobody"
    sent = {"code": code, "username": username}
    return client.post(f"{ME}/staff-accounts", json=sent, headers=someone.headers)


def bound(client, clerk, citizen):
    answer = confirm(client, citizen, ask(client, clerk).json["code"])
    assert answer.status_code == 200, answer.text
    return answer.json


def stands(client, someone):
    return client.get(f"{ME}/person-binding", headers=someone.headers).json["is_bound"]


def inbox(someone):
    deliver()
    with db.transaction() as session:
        found = text("SELECT title ->> 'zh' FROM messages.message WHERE account_id = :a")
        return session.scalars(found, {"a": someone.account_id}).all()


def acts(action):
    with db.transaction() as session:
        found = text("SELECT actor_id, payload FROM audit.entry WHERE action = :a ORDER BY id")
        return session.execute(found, {"a": action}).all()


def test_an_account_is_somebodys_once_his_citizen_account_says_so(client, clerk):
    me = people.citizen()
    assert not stands(client, clerk)
    shown = ask(client, clerk).json["code"]
    made = confirm(client, me, shown.lower().replace("-", " "))
    assert made.status_code == 200, made.text
    assert stands(client, clerk)
    [mine] = client.get(f"{ME}/staff-accounts", headers=me.headers).json["items"]
    assert mine == made.json
    assert "已绑定工作人员账号" in inbox(me)
    assert "账号安全提醒" in inbox(clerk)
    [act] = acts("accounts.staff_account_bound")
    assert act.actor_id == me.account_id
    assert act.payload == {
        "person_id": str(me.person_id),
        "account_id": str(clerk.account_id),
    }


def test_both_hear_of_it_before_whatever_thousands_or_anybody_else_are_told(client, clerk):
    me = people.citizen()
    made = bound(client, clerk, me)
    assert client.delete(f"{ME}/staff-accounts/{made['id']}", headers=me.headers).status_code == 204
    with db.transaction() as session:
        found = text("SELECT event, lane FROM jobs.outbox WHERE payload ->> 'account_id' = ANY(:a)")
        accounts = [str(me.account_id), str(clerk.account_id)]
        lanes = session.execute(found, {"a": accounts}).all()
    assert {lane for _, lane in lanes} == {"urgent"}
    assert {event for event, _ in lanes} >= {bindings.BOUND, bindings.UNBOUND}


def test_a_code_binds_once_and_not_for_long(client, clerk):
    code = ask(client, clerk).json["code"]
    later = ask(client, clerk).json["code"]
    refused = [confirm(client, people.citizen(), one) for one in ("ABCD", code)]
    assert [one.json["code"] for one in refused] == ["binding_code_invalid"] * 2
    assert confirm(client, people.citizen(), later).status_code == 200
    assert confirm(client, people.citizen(), later).json["code"] == "binding_code_invalid"
    with db.transaction() as session:
        slow = bindings.ask(
            session, account_id=clerk.account_id, now=clock.now() - timedelta(minutes=11)
        ).code
    assert confirm(client, people.citizen(), slow).json["code"] == "binding_code_invalid"


def test_only_staff_ask_and_only_citizens_of_a_shown_document_confirm(client, clerk, session):
    assert ask(client, people.citizen()).status_code == 403
    code = ask(client, clerk).json["code"]
    assert confirm(client, people.citizen(1), code).json["code"] == "step_up_required"
    assert confirm(client, clerk, code).status_code == 403
    me = people.citizen()
    session.execute(
        text("UPDATE accounts.device SET proven_at = proven_at - interval '1 hour' WHERE id = :d"),
        {"d": me.device_id},
    )
    stale = confirm(client, me, code)
    assert (stale.status_code, stale.json["required_level"]) == (401, 2)
    session.execute(text("UPDATE accounts.sign_in SET proved_at = now() - interval '1 hour'"))
    assert ask(client, clerk).json["code"] == "step_up_required"


def test_whoever_confirms_last_is_the_one_and_the_other_is_told(client, clerk):
    first, second = people.citizen(), people.citizen()
    bound(client, clerk, first)
    bound(client, clerk, second)
    assert client.get(f"{ME}/staff-accounts", headers=first.headers).json["items"] == []
    assert "工作人员账号已解绑" in inbox(first)
    with db.transaction() as session:
        ever = standing_for.persons_behind(session, {clerk.account_id})
    assert ever == {first.person_id, second.person_id}


def test_a_person_disowns_his_account_and_nobody_elses(client, clerk, session):
    me, other = people.citizen(), people.citizen()
    path = f"{ME}/staff-accounts/{bound(client, clerk, me)['id']}"
    assert client.delete(path, headers=other.headers).status_code == 404
    assert stands(client, clerk)
    # A phone that was left lying ends nobody's appointment.
    past = text("UPDATE accounts.device SET proven_at = proven_at - :ago WHERE id = :d")
    session.execute(past, {"ago": timedelta(hours=1), "d": me.device_id})
    stale = client.delete(path, headers=me.headers)
    assert (stale.status_code, stale.json["required_level"]) == (401, 2)
    session.execute(past, {"ago": -timedelta(hours=1), "d": me.device_id})
    assert client.delete(path, headers=me.headers).status_code == 204
    assert not stands(client, clerk)
    assert client.delete(path, headers=me.headers).status_code == 404


def test_a_suspended_account_is_bound_to_nobody(client, clerk, session):
    code = ask(client, clerk).json["code"]
    session.execute(
        text("UPDATE accounts.account SET status = 'suspended' WHERE id = :a"),
        {"a": clerk.account_id},
    )
    with pytest.raises(BindingCodeInvalid):
        bindings.confirm(
            session,
            code=code,
            username=people.username_of(clerk),
            person_id=people.citizen().person_id,
            citizen_id=None,
        )


def test_an_erased_person_stands_behind_nothing_and_sees_it_until_then(client, clerk, session):
    me = people.citizen()
    made = bound(client, clerk, me)
    subject = Subject(account_id=me.account_id, person_id=me.person_id)
    [shown] = export_data(session, subject)["staff_accounts"]
    assert (str(shown["id"]), shown["is_own"]) == (made["id"], False)
    erase_data(session, subject, clock.now())
    assert not standing_for.is_bound(session, clerk.account_id)
    # What he decided was one person's, and stays so.
    assert standing_for.persons_behind(session, {clerk.account_id}) == {me.person_id}


def test_a_citizen_sees_whose_code_it_is_before_saying_that_it_is_his(client):
    """Whoever was talked into typing an insider's code has to repeat a name that is not his."""
    hall = people.hall("某区卫生健康局")
    insider, me = people.staff(hall), people.citizen()
    code = ask(client, insider).json["code"]
    shown = preview(client, me, code)
    assert shown.status_code == 200, shown.text
    assert shown.json["username"] == people.username_of(insider)
    assert shown.json["kind"] == "staff"
    assert [one["name"]["zh"] for one in shown.json["works_at"]] == ["某区卫生健康局"]
    assert not stands(client, insider)
    refused = confirm(client, me, code, "wang.xiaomei")
    assert refused.json["code"] == "binding_code_invalid"
    assert [one["pointer"] for one in refused.json["errors"]] == ["/username"]
    bare = client.post(f"{ME}/staff-accounts", json={"code": code}, headers=me.headers)
    assert bare.status_code == 422
    assert not stands(client, insider)
    assert confirm(client, me, code, shown.json["username"].upper()).status_code == 200


def test_a_code_shows_nothing_once_it_is_used_late_or_wrong(client, clerk):
    me = people.citizen()
    used = ask(client, clerk).json["code"]
    assert confirm(client, me, used).status_code == 200
    with db.transaction() as session:
        ago = clock.now() - timedelta(minutes=11)
        late = bindings.ask(session, account_id=clerk.account_id, now=ago).code
    seen = {preview(client, me, one).text.split("trace_id")[0] for one in (used, late, "ABCD")}
    assert len(seen) == 1
    assert "binding_code_invalid" in seen.pop()
    fresh = ask(client, clerk).json["code"]
    assert preview(client, people.citizen(1), fresh).json["code"] == "step_up_required"


@pytest.mark.parametrize(("years", "status"), [(17, 403), (19, 200)])
def test_no_parent_is_a_second_person_with_a_childs_document(client, clerk, years, status):
    born = clock.local_day(clock.now()).replace(day=1) - timedelta(days=365 * years + 5)
    child = people.citizen(birth=born.strftime("%Y%m%d"))
    answer = confirm(client, child, ask(client, clerk).json["code"])
    assert answer.status_code == status, answer.text
    assert stands(client, clerk) is (status == 200)
