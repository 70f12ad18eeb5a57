"""Invitations: a code once, a role and an account together, and no way in that outlives them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import people
import pyotp
import pytest
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.manifest import Subject
from citizen_cloud.organisations import services
from citizen_cloud.organisations.contribution import erase, export
from citizen_cloud.organisations.jobs import forget_invitations
from citizen_cloud.organisations.refusals import (
    InvitationInvalid,
    OrganisationClosed,
    RoleAboveOwn,
)
from citizen_cloud.organisations.services import Actor
from citizen_cloud.web.caller import Grant

API = "/api/v1"
ACCEPT, JOIN = f"{API}/auth/invitations/accept", f"{API}/me/invitations/accept"
PASSWORD = "四月的风 吹过海边 42"  # noqa: S105 - of a test account
HASH = "x"
SYSTEM = Actor("system", None)
EVERYWHERE = Grant(everywhere=True)


@pytest.fixture
def place(app):
    return people.pharmacy()


@pytest.fixture
def manager(place):
    return people.manager(place)


def root(place):
    return f"{API}/admin/organisations/{place}/invitations"


def invite(client, someone, place, **changes):
    sent = {"role": "staff", "display_name": "王小美", "note": "接替小李", **changes}
    answer = client.post(root(place), json=sent, headers=someone.headers)
    assert answer.status_code == 201, answer.json
    return answer.json


def accept(client, code, username="wang.xiaomei", **changes):
    sent = {"code": code, "username": username, "password": PASSWORD, **changes}
    return client.post(ACCEPT, json=sent)


def acts(session):
    return session.scalars(text("SELECT action FROM audit.entry ORDER BY id")).all()


def test_whoever_brings_the_code_opens_an_account_with_the_role(client, manager, place, session):
    made = invite(client, manager, place)
    # 192 bits.
    assert len(made["code"]) == 32
    welcome = accept(client, made["code"])
    assert (welcome.status_code, welcome.json["next"]) == (200, "sign_in")
    assert (welcome.json["role"], welcome.json["organisation_id"]) == ("staff", str(place))
    sent = {"grant_type": "password", "username": "wang.xiaomei", "password": PASSWORD}
    told = client.post(f"{API}/auth/token", json=sent)
    assert told.json["code"] == "totp_enrolment_required"
    code = pyotp.TOTP(told.json["secret"]).now()
    tokens = client.post(f"{API}/auth/token", json={**sent, "totp": code})
    assert tokens.status_code == 200
    headers = {"Authorization": f"Bearer {tokens.json['access_token']}"}
    assert client.get(f"{API}/me", headers=headers).json["name"] == "王小美"
    granted = session.scalar(
        text(
            "SELECT m.role FROM organisations.membership m JOIN accounts.account a "
            "ON a.id = m.account_id WHERE a.username = 'wang.xiaomei'"
        )
    )
    assert granted == "staff"
    seen = acts(session)
    for act in ("invite", "accept_invitation", "grant_role"):
        assert f"organisations.{act}" in seen


def test_without_a_display_name_the_user_name_is_shown(client, manager, place):
    made = client.post(root(place), json={"role": "staff"}, headers=manager.headers).json
    accept(client, made["code"])
    listed = client.get(f"{API}/admin/organisations/{place}/staff", headers=manager.headers)
    assert "wang.xiaomei" in [row["display_name"] for row in listed.json["items"]]


def test_code_name_and_note_lie_nowhere_in_clear(client, manager, place, session):
    code = invite(client, manager, place)["code"]
    tables = ("organisations.invitation", "audit.entry", "jobs.outbox", "web.idempotent_answer")
    rows = [
        row for table in tables for row in session.scalars(text(f"SELECT t::text FROM {table} t"))
    ]
    for words in (code, "王小美", "接替小李"):
        assert not any(words in row for row in rows)


def test_invitations_are_listed_with_what_became_of_them(client, manager, place, session):
    opened, revoked, accepted, expired = (invite(client, manager, place) for _ in range(4))
    path = f"{API}/admin/invitations/{revoked['id']}"
    assert client.delete(path, headers=manager.headers).status_code == 204
    assert client.delete(path, headers=manager.headers).status_code == 404
    joined = accept(client, accepted["code"]).json
    end(session, expired["id"])
    seen, address = [], f"{root(place)}?limit=3"
    while address:
        answer = client.get(address, headers=manager.headers)
        seen += answer.json["items"]
        link = answer.headers.get("Link")
        address = link[1 : link.index(">")] if link else None
    assert [(row["id"], row["status"]) for row in seen] == [
        (expired["id"], "expired"),
        (accepted["id"], "accepted"),
        (revoked["id"], "revoked"),
        (opened["id"], "open"),
    ]
    assert "code" not in seen[0]
    assert (seen[3]["display_name"], seen[3]["note"]) == ("王小美", "接替小李")
    # The name went to the account; nothing needs it here any more.
    assert (seen[1]["account_id"], seen[1]["display_name"]) == (joined["account_id"], None)
    assert "organisations.revoke_invitation" in acts(session)


def end(session, invitation_id):
    session.execute(
        text("UPDATE organisations.invitation SET expires_at = now() - interval '1 s' WHERE id=:i"),
        {"i": invitation_id},
    )


def told(answer):
    body = {k: v for k, v in answer.json.items() if k not in ("trace_id", "instance")}
    return answer.status_code, body


def test_wrong_used_revoked_and_expired_codes_get_one_answer(client, manager, place, session):
    used, revoked, expired = (invite(client, manager, place) for _ in range(3))
    assert accept(client, used["code"]).status_code == 200
    client.delete(f"{API}/admin/invitations/{revoked['id']}", headers=manager.headers)
    end(session, expired["id"])
    codes = [used["code"], revoked["code"], expired["code"], "x" * 32, "王"]
    answers = [told(accept(client, code, "li.si")) for code in codes]
    assert answers[0][0] == 422
    assert answers[0][1]["code"] == "invitation_invalid"
    assert all(answer == answers[0] for answer in answers)
    clerk = people.staff(people.pharmacy())
    joins = [told(client.post(JOIN, json={"code": code}, headers=clerk.headers)) for code in codes]
    assert all(answer == joins[0] for answer in joins)


def test_an_invitation_lasts_72_hours(session, place):
    made = services.invite(
        session, organisation_id=place, role="staff", grant=EVERYWHERE, actor=SYSTEM
    )
    for hours, is_good in ((71, True), (73, False)):
        now = datetime.now(UTC) + timedelta(hours=hours)
        if is_good:
            services.check_invitation(session.connection(), code=made.code, now=now)
        else:
            with pytest.raises(InvitationInvalid):
                services.check_invitation(session.connection(), code=made.code, now=now)
            with pytest.raises(InvitationInvalid):
                services.accept_as_new(
                    session, code=made.code, username="li.si", password_hash=HASH, now=now
                )


def test_a_refusal_leaves_the_code_as_it_was(client, manager, place):
    code = invite(client, manager, place)["code"]
    weak = accept(client, code, password="password1")  # noqa: S106 - a weak one
    assert (weak.status_code, weak.json["code"]) == (422, "password_too_weak")
    accept(client, invite(client, manager, place)["code"], "li.si")
    taken = accept(client, code, "li.si")
    assert (taken.status_code, taken.json["code"]) == (409, "username_taken")
    assert accept(client, code, "li.wu").status_code == 200


def test_staff_take_a_role_at_a_second_place_with_their_own_account(client, place, session):
    clerk = people.staff(people.pharmacy())
    code = invite(client, people.manager(place), place)["code"]
    joined = client.post(JOIN, json={"code": code}, headers=clerk.key("k"))
    assert joined.status_code == 200, joined.json
    assert joined.json["account_id"] == str(clerk.account_id)
    again = client.post(JOIN, json={"code": code}, headers=clerk.key("k"))
    assert (again.json, again.headers["Idempotent-Replayed"]) == (joined.json, "true")
    live = session.scalar(
        text("SELECT count(*) FROM organisations.membership WHERE account_id = :a"),
        {"a": clerk.account_id},
    )
    assert live == 2


def test_a_role_that_is_held_already_is_not_taken_twice(client, manager, place):
    clerk = people.staff(place)
    code = invite(client, manager, place)["code"]
    answer = client.post(JOIN, json={"code": code}, headers=clerk.headers)
    assert (answer.status_code, answer.json["code"]) == (409, "already_member")


def test_citizens_administrators_and_auditors_take_no_role_at_a_counter(client, manager, place):
    code = invite(client, manager, place)["code"]
    for someone, status in (
        (people.citizen(), 403),
        (people.admin(), 403),
        (people.auditor(), 409),
    ):
        answer = client.post(JOIN, json={"code": code}, headers=someone.headers)
        assert answer.status_code == status, answer.json
    assert answer.json["code"] == "roles_exclude"


def test_an_administrator_invites_managers_and_a_manager_does_not(client, manager, place):
    assert invite(client, people.admin(), place, role="manager")["role"] == "manager"
    above = client.post(root(place), json={"role": "manager"}, headers=manager.headers)
    assert (above.status_code, above.json["code"]) == (403, "role_above_own")
    for role in ("admin", "auditor"):
        answer = client.post(root(place), json={"role": role}, headers=people.admin().headers)
        assert answer.status_code == 422


def test_a_manager_does_not_take_back_an_administrators_invitation_of_a_manager(
    client, manager, place
):
    made = invite(client, people.admin(), place, role="manager")
    answer = client.delete(f"{API}/admin/invitations/{made['id']}", headers=manager.headers)
    assert (answer.status_code, answer.json["code"]) == (403, "role_above_own")


def test_nobody_is_invited_to_a_closed_place_and_nobody_joins_one(client, place, session):
    code = invite(client, people.admin(), place)["code"]
    session.execute(text("UPDATE organisations.organisation SET status = 'closed'"))
    assert accept(client, code).json["code"] == "organisation_closed"
    with pytest.raises(OrganisationClosed):
        services.invite(
            session, organisation_id=place, role="staff", grant=EVERYWHERE, actor=SYSTEM
        )
    with pytest.raises(RoleAboveOwn):
        own = Grant(organisation_ids=frozenset({place}))
        services.invite(session, organisation_id=place, role="manager", grant=own, actor=SYSTEM)


ENDS = {
    "dismissed": "UPDATE organisations.membership SET ended_at = now() WHERE account_id = :a",
    "suspended": "UPDATE accounts.account SET status = 'suspended' WHERE id = :a",
    "closed": "UPDATE accounts.account SET status = 'closed' WHERE id = :a",
}


@pytest.mark.parametrize("way", ENDS)
def test_a_code_is_over_with_the_standing_of_who_invited(client, place, session, way):
    manager = people.manager(place)
    code = invite(client, manager, place)["code"]
    session.execute(text(ENDS[way]), {"a": manager.account_id})
    assert accept(client, code).json["code"] == "invitation_invalid"


def test_a_manager_who_moved_elsewhere_leaves_no_way_in_behind(client, place, session):
    manager = people.manager(place)
    code = invite(client, manager, place)["code"]
    session.execute(
        text("UPDATE organisations.membership SET ended_at = now() WHERE account_id = :a"),
        {"a": manager.account_id},
    )
    services.add_member(
        session,
        organisation_id=people.pharmacy(session=session),
        account_id=manager.account_id,
        role="manager",
        actor=SYSTEM,
    )
    assert accept(client, code).json["code"] == "invitation_invalid"


def test_twenty_who_bring_one_code_at_once_open_one_account(fresh_database):
    place = people.pharmacy()
    with db.transaction() as session:
        code = services.invite(
            session, organisation_id=place, role="staff", grant=EVERYWHERE, actor=SYSTEM
        ).code
    clerk = people.staff(people.pharmacy())
    barrier = threading.Barrier(20)

    def bring(number):
        barrier.wait()
        try:
            with db.transaction() as session:
                if number == 0:
                    actor = Actor("staff", clerk.account_id)
                    return services.accept_as_member(session, code=code, actor=actor)
                return services.accept_as_new(
                    session, code=code, username=f"wang.{number}", password_hash=HASH
                )
        except InvitationInvalid:
            return None

    with ThreadPoolExecutor(20) as pool:
        joined = [one for one in pool.map(bring, range(20)) if one is not None]
    assert len(joined) == 1
    with db.transaction() as session:
        opened = session.scalar(
            text("SELECT count(*) FROM accounts.account WHERE username LIKE 'wang.%'")
        )
        roles = session.scalar(
            text("SELECT count(*) FROM organisations.membership WHERE organisation_id = :o"),
            {"o": place},
        )
    assert (opened + (joined[0].account_id == clerk.account_id), roles) == (1, 1)


def test_an_invitation_is_exported_to_both_sides_and_forgotten(client, place, session):
    manager = people.manager(place)
    code = invite(client, manager, place)["code"]
    invite(client, manager, place)
    account_id = accept(client, code).json["account_id"]
    [own] = export(session, Subject(account_id=account_id))["invitations"]
    assert (own["role"], own["is_own"]) == ("staff", True)
    assert len(export(session, Subject(account_id=manager.account_id))["invitations"]) == 2
    erase(session, Subject(account_id=account_id), datetime.now(UTC))
    assert export(session, Subject(account_id=account_id))["invitations"] == []
    erase(session, Subject(account_id=manager.account_id), datetime.now(UTC))
    [left] = session.execute(
        text("SELECT invited_by, revoked_at FROM organisations.invitation")
    ).all()
    assert left.invited_by is None
    # Without this the code would count as the system's own.
    assert left.revoked_at is not None


def test_invitations_nobody_accepted_are_forgotten(client, manager, place, session):
    used, unused = invite(client, manager, place), invite(client, manager, place)
    accept(client, used["code"])
    session.execute(
        text("UPDATE organisations.invitation SET expires_at = now() - interval '31 days'")
    )
    assert forget_invitations(datetime.now(UTC)) == 1
    assert [
        str(row) for row in session.scalars(text("SELECT id FROM organisations.invitation"))
    ] == [used["id"]]
    assert unused["id"] != used["id"]
