"""Suspending and reinstating accounts, and what those who do it may see."""

import threading

import partners
import people
import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.app import contributions
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.organisations import services
from citizen_cloud.organisations.refusals import LastAdmin
from citizen_cloud.organisations.services import Actor
from citizen_cloud.web.caller import Grant

API = "/api/v1"
SYSTEM = Actor("system", None)
EVERYWHERE = Grant(everywhere=True)


def put(client, someone, account_id, status="suspended", reason="misuse"):
    return client.put(
        f"{API}/admin/accounts/{account_id}/status",
        json={"status": status, "reason": reason},
        headers=someone.headers,
    )


def me(client, someone):
    return client.get(f"{API}/me", headers=someone.headers)


def refresh(client, someone):
    sent = {"grant_type": "refresh_token", "refresh_token": someone.refresh_token}
    return client.post(f"{API}/auth/token", json=sent)


@pytest.fixture
def place(app):
    return people.pharmacy()


@pytest.fixture
def admin(app):
    return people.admin()


def test_a_suspension_acts_on_the_next_request_and_on_the_refresh(client, admin, place, session):
    for target in (people.staff(place), people.citizen(), people.manager(place), people.auditor()):
        assert me(client, target).status_code == 200
        assert put(client, admin, target.account_id).status_code == 204
        for answer in (me(client, target), refresh(client, target)):
            assert (answer.status_code, answer.json["code"]) == (403, "account_suspended")
    acts = session.execute(
        text("SELECT actor_id, payload FROM audit.entry WHERE action = 'accounts.suspended'")
    ).all()
    assert len(acts) == 4
    assert {act.actor_id for act in acts} == {admin.account_id}
    assert acts[0].payload == {"reason": "misuse"}


def test_reinstating_brings_no_old_sign_in_back_to_life(client, admin, place):
    target = people.staff(place)
    put(client, admin, target.account_id)
    assert put(client, admin, target.account_id, "active", "mistake").status_code == 204
    assert me(client, target).status_code == 401
    assert refresh(client, target).status_code == 401


def test_the_same_again_changes_nothing(client, admin, place, session):
    target = people.staff(place)
    assert put(client, admin, target.account_id, "active").status_code == 204
    assert me(client, target).status_code == 200
    for _ in range(2):
        assert put(client, admin, target.account_id).status_code == 204
    count = text("SELECT count(*) FROM audit.entry WHERE action = 'accounts.suspended'")
    assert session.scalar(count) == 1


def test_a_manager_suspends_staff_who_work_for_him_alone(client, admin, place, session):
    manager, elsewhere = people.manager(place), people.pharmacy()
    own, both, stranger = people.staff(place), people.staff(place), people.staff(elsewhere)
    services.add_member(
        session, organisation_id=elsewhere, account_id=both.account_id, role="staff", actor=SYSTEM
    )
    assert put(client, manager, own.account_id).status_code == 204
    refused = {
        both.account_id: (403, "works_elsewhere"),
        stranger.account_id: (404, "not_found"),
        people.citizen().account_id: (404, "not_found"),
        people.manager(place).account_id: (403, "role_above_own"),
        admin.account_id: (404, "not_found"),
    }
    for account_id, wanted in refused.items():
        answer = put(client, manager, account_id)
        assert (answer.status_code, answer.json["code"]) == wanted


def test_nobody_suspends_himself_and_the_last_administrator_stays(client, admin, session):
    own = put(client, admin, admin.account_id)
    assert own.json["code"] in ("own_account", "last_admin")
    with pytest.raises(LastAdmin):
        services.change_status(
            session,
            account_id=admin.account_id,
            status="suspended",
            reason="left",
            grant=EVERYWHERE,
            actor=SYSTEM,
        )
    other = people.admin()
    assert put(client, admin, admin.account_id).json["code"] == "own_account"
    assert put(client, admin, other.account_id).status_code == 204


def test_two_administrators_who_suspend_each_other_at_once_leave_one(fresh_database):
    both = [people.admin().account_id for _ in range(2)]
    barrier, refused = threading.Barrier(2), []

    def suspend(target, actor):
        barrier.wait()
        try:
            with db.transaction() as session:
                services.change_status(
                    session,
                    account_id=target,
                    status="suspended",
                    reason="misuse",
                    grant=EVERYWHERE,
                    actor=Actor("admin", actor),
                )
        except LastAdmin as error:
            refused.append(error)

    threads = [threading.Thread(target=suspend, args=pair) for pair in (both, list(reversed(both)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with db.transaction() as session:
        active = session.scalar(
            text("SELECT count(*) FROM accounts.account WHERE status = 'active' AND kind = 'admin'")
        )
    assert active == 1


def test_a_dismissal_and_a_suspension_at_once_leave_one_administrator(fresh_database):
    one, other = people.admin(), people.admin()
    barrier, refused = threading.Barrier(2), []

    def attempt(work):
        barrier.wait()
        try:
            with db.transaction() as session:
                work(session)
        except LastAdmin as error:
            refused.append(error)

    works = (
        lambda session: services.end_membership(
            session, membership_id=one.membership_ids[0], actor=SYSTEM
        ),
        lambda session: services.change_status(
            session,
            account_id=other.account_id,
            status="suspended",
            reason="left",
            grant=EVERYWHERE,
            actor=SYSTEM,
        ),
    )
    threads = [threading.Thread(target=attempt, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1


def test_an_account_shows_how_it_stands_and_nothing_of_the_person(client, admin, place):
    manager, citizen = people.manager(place), people.citizen(name="李四光")
    shown = client.get(f"{API}/admin/accounts/{manager.account_id}", headers=admin.headers).json
    assert (shown["kind"], shown["status"], shown["reset"]) == ("staff", "active", None)
    assert [(role["role"], role["organisation_id"]) for role in shown["roles"]] == [
        ("manager", str(place))
    ]
    answer = client.get(f"{API}/admin/accounts/{citizen.account_id}", headers=admin.headers)
    assert set(answer.json) == {"id", "kind", "status", "roles", "reset", "created_at"}
    for secret in ("李", str(citizen.person_id), citizen.document_number):
        assert secret not in answer.text


def test_a_citizen_sees_who_looked_and_who_suspended(client, admin, session):
    citizen = people.citizen()
    client.get(f"{API}/admin/accounts/{citizen.account_id}", headers=admin.headers)
    put(client, admin, citizen.account_id)
    looks = session.execute(
        text("SELECT reader_id, purpose, outcome FROM accounts.data_access WHERE person_id = :p"),
        {"p": citizen.person_id},
    ).all()
    assert {(row.reader_id, row.purpose, row.outcome) for row in looks} == {
        (admin.account_id, "accounts.read", "read"),
        (admin.account_id, "accounts.suspend", "changed"),
    }


def test_a_closed_account_is_not_there(client, admin, session):
    target = people.citizen()
    session.execute(
        text("UPDATE accounts.account SET status = 'closed' WHERE id = :id"),
        {"id": target.account_id},
    )
    assert put(client, admin, target.account_id).status_code == 404
    shown = client.get(f"{API}/admin/accounts/{target.account_id}", headers=admin.headers)
    assert shown.status_code == 404


def test_why_is_a_word_and_no_prose(client, admin, place):
    answer = put(client, admin, people.staff(place).account_id, reason="王小美偷药")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "not_one_of")


def age(session, someone):
    session.execute(
        text(
            "UPDATE accounts.sign_in SET proved_at = now() - interval '6 min' WHERE account_id=:a"
        ),
        {"a": someone.account_id},
    )


def test_an_unlocked_screen_suspends_nobody_and_invites_nobody(client, place, session):
    manager, clerk = people.manager(place), people.staff(place)
    age(session, manager)
    invitations = f"{API}/admin/organisations/{place}/invitations"
    for answer in (
        put(client, manager, clerk.account_id),
        client.post(invitations, json={"role": "staff"}, headers=manager.headers),
    ):
        assert (answer.status_code, answer.json["code"]) == (401, "step_up_required")
        assert answer.json["max_age_s"] == 300
    assert me(client, clerk).status_code == 200


def test_what_a_thief_handed_out_does_not_come_back_with_the_account(client, admin, place):
    manager, clerk = people.manager(place), people.staff(place)
    invitations = f"{API}/admin/organisations/{place}/invitations"
    invited = client.post(invitations, json={"role": "staff"}, headers=manager.headers).json
    path = f"{API}/admin/accounts/{clerk.account_id}/reset"
    reset = client.post(path, headers=manager.headers).json
    put(client, admin, manager.account_id, reason="stolen")
    put(client, admin, manager.account_id, "active", reason="settled")
    accepted = client.post(
        f"{API}/auth/invitations/accept",
        json={"code": invited["code"], "username": "thief", "password": "四月的风 吹过海边 42"},
    )
    assert (accepted.status_code, accepted.json["code"]) == (422, "invitation_invalid")
    used = client.post(
        f"{API}/auth/reset", json={"code": reset["code"], "password": "四月的风 吹过海边 42"}
    )
    assert (used.status_code, used.json["code"]) == (422, "reset_invalid")


def test_a_role_given_back_brings_no_invitation_back(client, admin, place):
    manager = people.manager(place)
    invitations = f"{API}/admin/organisations/{place}/invitations"
    code = client.post(invitations, json={"role": "staff"}, headers=manager.headers).json["code"]
    ended = f"{API}/admin/memberships/{manager.membership_ids[0]}"
    assert client.delete(ended, headers=admin.headers).status_code == 204
    with db.transaction() as session:
        services.add_member(
            session,
            organisation_id=place,
            account_id=manager.account_id,
            role="manager",
            actor=SYSTEM,
        )
    answer = client.post(
        f"{API}/auth/invitations/accept",
        json={"code": code, "username": "thief", "password": "四月的风 吹过海边 42"},
    )
    assert answer.json["code"] == "invitation_invalid"


@pytest.mark.parametrize("column", ["asked_by", "confirmed_by"])
def test_a_reset_handed_out_while_its_giver_was_being_suspended_opens_nothing(
    client, admin, session, column
):
    """The withdrawal did not see it yet; the code asks for itself."""
    other, target = people.admin(), people.auditor()
    asked = client.post(
        f"{API}/admin/accounts/{target.account_id}/reset", headers=admin.headers
    ).json
    confirm = f"{API}/admin/resets/{asked['id']}/confirm"
    code = client.post(confirm, headers=other.headers).json["code"]
    session.execute(
        text(
            "UPDATE accounts.account SET status = 'suspended' "
            f"WHERE id = (SELECT {column} FROM accounts.reset)"
        )
    )
    answer = client.post(
        f"{API}/auth/reset", json={"code": code, "password": "四月的风 吹过海边 42"}
    )
    assert answer.json["code"] == "reset_invalid"


def test_nobody_agrees_with_who_is_suspended(client, admin, session):
    other, target = people.admin(), people.auditor()
    asked = client.post(
        f"{API}/admin/accounts/{target.account_id}/reset", headers=admin.headers
    ).json
    session.execute(
        text("UPDATE accounts.account SET status = 'suspended' WHERE id = :id"),
        {"id": admin.account_id},
    )
    confirm = f"{API}/admin/resets/{asked['id']}/confirm"
    assert client.post(confirm, headers=other.headers).status_code == 404


def test_partners_of_a_reinstated_citizen_are_signed_out_too(client, admin, place):
    someone, flow = people.citizen(), partners.Flow(client)
    site = partners.register(place)
    token = flow.tokens(site, someone)["access_token"]
    put(client, admin, someone.account_id, reason="stolen")
    put(client, admin, someone.account_id, "active", reason="settled")
    while dispatch(handlers_of(contributions())):
        pass
    assert flow.userinfo(token).status_code == 401
