"""Resets: shut at once, opened once by the code; platform accounts by two people only."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import people
import pyotp
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from citizen_cloud import db
from citizen_cloud.accounts import hashing, refresh_tokens
from citizen_cloud.accounts.refusals import ResetInvalid
from citizen_cloud.accounts.services import open_account, recovery_codes, resets, staff
from citizen_cloud.accounts.services.erasing import erase_data
from citizen_cloud.accounts.services.personal_data import export_data
from citizen_cloud.errors import NotFound
from citizen_cloud.manifest import Subject
from citizen_cloud.organisations import services
from citizen_cloud.organisations.services import Actor
from citizen_cloud.web.caller import Grant

API = "/api/v1"
PASSWORD, NEW = "right-horse-battery", "四月的风 吹过海边 42"
SYSTEM = Actor("system", None)
EVERYWHERE = Grant(everywhere=True)


@pytest.fixture
def place(app):
    return people.pharmacy()


@pytest.fixture
def manager(place):
    return people.manager(place)


def member(place, username="li.wei"):
    """Return (account id, TOTP secret, recovery code) of staff who signed in once."""
    with db.transaction() as session:
        account_id = open_account(
            session,
            username=username,
            display_name="李伟",
            kind="staff",
            password_hash=hashing.current().hash(PASSWORD),
        )
        services.add_member(
            session, organisation_id=place, account_id=account_id, role="staff", actor=SYSTEM
        )
        checked = staff.compared(staff.find(session.connection(), username=username), PASSWORD)
        secret = staff.sign_in(session, checked=checked, code=None).facts["secret"]
        code = pyotp.TOTP(secret).now()
        issued = staff.sign_in(session, checked=checked, code=code)
        sign_in_id = refresh_tokens.parse(issued.refresh_token).sign_in_id
        recovery = recovery_codes.draw_codes(session, account_id=account_id, sign_in_id=sign_in_id)[
            0
        ]
    return account_id, issued, recovery


def reset(client, someone, account_id, status=200):
    answer = client.post(f"{API}/admin/accounts/{account_id}/reset", headers=someone.headers)
    assert answer.status_code == status, answer.json
    return answer.json


def confirm(client, someone, reset_id):
    return client.post(f"{API}/admin/resets/{reset_id}/confirm", headers=someone.headers)


def use(client, code, password=NEW):
    return client.post(f"{API}/auth/reset", json={"code": code, "password": password})


def sign_in(client, password, **more):
    sent = {"grant_type": "password", "username": "li.wei", "password": password, **more}
    return client.post(f"{API}/auth/token", json=sent)


def test_a_reset_shuts_the_account_at_once_and_its_code_opens_it_once(
    client, manager, place, session
):
    account_id, issued, recovery = member(place)
    made = reset(client, manager, account_id)
    assert (len(made["code"]), made["needs_second"]) == (32, False)
    # Every way in is gone.
    headers = {"Authorization": f"Bearer {issued.access_token}"}
    assert client.get(f"{API}/me", headers=headers).status_code == 401
    again = {"grant_type": "refresh_token", "refresh_token": issued.refresh_token}
    assert client.post(f"{API}/auth/token", json=again).status_code == 401
    assert sign_in(client, PASSWORD, recovery_code=recovery).json["code"] == "credentials_invalid"
    assert sign_in(client, PASSWORD).json["code"] == "credentials_invalid"
    # The code opens it, and the authenticator is set up as the first time.
    assert use(client, made["code"]).json == {"username": "li.wei", "next": "sign_in"}
    told = sign_in(client, NEW)
    assert told.json["code"] == "totp_enrolment_required"
    assert sign_in(client, NEW, totp=pyotp.TOTP(told.json["secret"]).now()).status_code == 200
    assert sign_in(client, NEW, recovery_code=recovery).status_code == 401
    assert use(client, made["code"]).json["code"] == "reset_invalid"
    acts = session.scalars(text("SELECT action FROM audit.entry")).all()
    assert {"accounts.reset", "accounts.reset_used"} <= set(acts)
    news = text("SELECT payload ->> 'what' FROM jobs.outbox WHERE event='accounts.way_in_changed'")
    assert "reset" in session.scalars(news).all()


def test_the_code_lies_nowhere_in_clear(client, manager, place, session):
    code = reset(client, manager, member(place)[0])["code"]
    for table in ("accounts.reset", "audit.entry", "jobs.outbox"):
        assert not any(
            code in row for row in session.scalars(text(f"SELECT t::text FROM {table} t"))
        )


def test_wrong_used_replaced_and_expired_codes_get_one_answer(client, manager, place, session):
    used = reset(client, manager, member(place)[0])["code"]
    use(client, used)
    other = member(place, "li.si")[0]
    replaced, expired = (reset(client, manager, other)["code"] for _ in range(2))
    session.execute(text("UPDATE accounts.reset SET expires_at = now() - interval '1 s'"))
    answers = []
    for code in (used, replaced, expired, "x" * 32):
        answer = use(client, code)
        answers.append((answer.status_code, {**answer.json, "trace_id": "", "instance": ""}))
    assert answers[0][0] == 422
    assert all(answer == answers[0] for answer in answers)


def test_a_code_lasts_24_hours(session, place):
    account_id = member(place)[0]
    made = services.reset_account(session, account_id=account_id, grant=EVERYWHERE, actor=SYSTEM)
    connection, day = session.connection(), datetime.now(UTC)
    assert resets.username_of(connection, code=made.code, now=day + timedelta(hours=23)) == "li.wei"
    with pytest.raises(ResetInvalid):
        resets.username_of(connection, code=made.code, now=day + timedelta(hours=25))
    with pytest.raises(ResetInvalid):
        resets.use_reset(
            session, code=made.code, password_hash=PASSWORD, now=day + timedelta(hours=25)
        )


def test_a_weak_password_leaves_the_code_as_it_was(client, manager, place):
    code = reset(client, manager, member(place)[0])["code"]
    weak = use(client, code, "password1")
    assert (weak.status_code, weak.json["code"]) == (422, "password_too_weak")
    assert use(client, code).status_code == 200


def test_a_manager_reaches_the_own_staff_only(client, manager, place, session):
    elsewhere = people.pharmacy()
    stranger, citizen = people.staff(elsewhere), people.citizen()
    for one in (stranger, citizen, people.auditor(), people.admin()):
        assert reset(client, manager, one.account_id, 404)["code"] == "not_found"
    other_manager = people.manager(place)
    assert reset(client, manager, other_manager.account_id, 403)["code"] == "role_above_own"
    assert reset(client, manager, manager.account_id, 403)["code"] == "role_above_own"
    both = people.staff(place)
    services.add_member(
        session,
        organisation_id=elsewhere,
        account_id=both.account_id,
        role="staff",
        actor=SYSTEM,
    )
    # Whoever opens that account acts at the other place too.
    assert reset(client, manager, both.account_id, 403)["code"] == "works_elsewhere"
    assert reset(client, people.admin(), both.account_id)["code"]


def test_administrators_reset_anybody_but_citizens_and_themselves(client, place):
    admin = people.admin()
    assert reset(client, admin, admin.account_id, 403)["code"] == "own_account"
    assert reset(client, admin, people.citizen().account_id, 404)["code"] == "not_found"
    assert reset(client, admin, people.manager(place).account_id)["code"]


@pytest.mark.parametrize("make", [people.admin, people.auditor])
def test_a_platform_account_is_shut_when_a_second_person_agrees(client, app, make):
    proposer, second, target = people.admin(), people.admin(), make()
    made = reset(client, proposer, target.account_id)
    assert (made["code"], made["needs_second"]) == (None, True)
    assert client.get(f"{API}/me", headers=target.headers).status_code == 200
    shown = client.get(f"{API}/admin/accounts/{target.account_id}", headers=second.headers).json
    assert (shown["reset"]["id"], shown["reset"]["needs_second"]) == (made["id"], True)
    own = confirm(client, proposer, made["id"])
    assert (own.status_code, own.json["code"]) == (403, "second_person_required")
    agreed = confirm(client, second, made["id"])
    assert len(agreed.json["code"]) == 32
    assert client.get(f"{API}/me", headers=target.headers).status_code == 401
    assert confirm(client, second, made["id"]).status_code == 404


def test_one_human_with_two_administrators_accounts_is_no_second_person(client, app):
    proposer, second, target = people.admin(), people.admin(), people.admin()
    people.bind(second, people.bind(proposer))
    made = reset(client, proposer, target.account_id)
    answer = confirm(client, second, made["id"])
    assert (answer.status_code, answer.json["code"]) == (403, "second_person_required")
    assert confirm(client, people.admin(), made["id"]).status_code == 200


def test_nobody_agrees_to_a_reset_of_the_own_account(client, app):
    proposer, target = people.admin(), people.admin()
    made = reset(client, proposer, target.account_id)
    answer = confirm(client, target, made["id"])
    assert (answer.status_code, answer.json["code"]) == (403, "own_account")


def test_a_managers_reset_needs_nobody_else_and_cannot_be_confirmed(client, manager, place):
    made = reset(client, manager, member(place)[0])
    assert confirm(client, people.admin(), made["id"]).status_code == 404


def test_a_proposal_lapses(client, app, session):
    made = reset(client, people.admin(), people.admin().account_id)
    session.execute(text("UPDATE accounts.reset SET expires_at = now() - interval '1 s'"))
    assert confirm(client, people.admin(), made["id"]).status_code == 404


def test_resetting_needs_factors_shown_just_now(client, manager, place, session):
    account_id = people.staff(place).account_id
    session.execute(text("UPDATE accounts.sign_in SET proved_at = now() - interval '6 minutes'"))
    assert reset(client, manager, account_id, 401)["code"] == "step_up_required"
    answer = confirm(client, people.manager(place), people.new_id())
    assert answer.status_code == 403
    admin = people.admin()
    session.execute(text("UPDATE accounts.sign_in SET proved_at = now() - interval '6 minutes'"))
    assert confirm(client, admin, people.new_id()).json["code"] == "step_up_required"


def test_the_table_itself_knows_three_people(session, place):
    asker, other, target = (
        people.staff(place, session=session).account_id,
        people.staff(place, session=session).account_id,
        people.staff(place, session=session).account_id,
    )
    insert = text(
        "INSERT INTO accounts.reset (account_id, asked_by, needs_second, confirmed_by, code_hash, "
        "expires_at) VALUES (:target, :asker, true, :second, :hash, now())"
    )
    wrong = (
        {"asker": target, "second": None, "hash": None},
        {"asker": asker, "second": asker, "hash": b"x"},
        {"asker": asker, "second": target, "hash": b"x"},
        {"asker": asker, "second": None, "hash": b"x"},
    )
    for facts in wrong:
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(insert, {"target": target, **facts})
    session.execute(insert, {"target": target, "asker": asker, "second": other, "hash": b"x"})


@pytest.mark.parametrize("way", ["dismissed", "suspended"])
def test_codes_are_over_with_the_standing_of_who_handed_them_out(client, place, session, way):
    manager, account_id = people.manager(place), member(place)[0]
    code = reset(client, manager, account_id)["code"]
    if way == "dismissed":
        services.end_membership(session, membership_id=manager.membership_ids[0], actor=SYSTEM)
    else:
        services.change_status(
            session,
            account_id=manager.account_id,
            status="suspended",
            reason="left",
            grant=EVERYWHERE,
            actor=SYSTEM,
        )
    assert use(client, code).json["code"] == "reset_invalid"


def test_twenty_who_bring_one_code_at_once_set_one_password(fresh_database):
    place = people.pharmacy()
    account_id = people.staff(place).account_id
    with db.transaction() as session:
        made = services.reset_account(
            session, account_id=account_id, grant=EVERYWHERE, actor=SYSTEM
        )
    barrier = threading.Barrier(20)

    def bring(number):
        barrier.wait()
        try:
            with db.transaction() as session:
                resets.use_reset(session, code=made.code, password_hash=f"hash {number}")
        except ResetInvalid:
            return None
        return number

    with ThreadPoolExecutor(20) as pool:
        winners = [one for one in pool.map(bring, range(20)) if one is not None]
    assert len(winners) == 1
    with db.transaction() as session:
        stored = session.scalar(
            text("SELECT password_hash FROM accounts.account WHERE id = :id"), {"id": account_id}
        )
    assert stored == f"hash {winners[0]}"


def test_ten_who_agree_at_once_draw_one_code(fresh_database):
    proposer, target = people.admin(), people.admin()
    others = [people.admin().account_id for _ in range(10)]
    with db.transaction() as session:
        made = services.reset_account(
            session,
            account_id=target.account_id,
            grant=EVERYWHERE,
            actor=Actor("admin", proposer.account_id),
        )
    barrier = threading.Barrier(10)

    def agree(account_id):
        barrier.wait()
        try:
            with db.transaction() as session:
                return resets.confirm_reset(
                    session, reset_id=made.id, actor_kind="admin", actor_id=account_id
                ).code
        except NotFound:
            return None

    with ThreadPoolExecutor(10) as pool:
        codes = [one for one in pool.map(agree, others) if one is not None]
    assert len(codes) == 1
    with db.statement() as connection:
        assert resets.username_of(connection, code=codes[0])


def test_resets_and_codes_are_exported_and_forgotten(client, manager, place, session):
    account_id = member(place)[0]
    assert len(export_data(session, Subject(account_id=account_id))["recovery_codes"]) == 10
    reset(client, manager, account_id)
    for subject, is_own in ((account_id, True), (manager.account_id, False)):
        [row] = export_data(session, Subject(account_id=subject))["resets"]
        assert row["is_own"] is is_own
    erase_data(session, Subject(account_id=manager.account_id), datetime.now(UTC))
    assert session.scalar(text("SELECT asked_by FROM accounts.reset")) is None
    erase_data(session, Subject(account_id=account_id), datetime.now(UTC))
    for table in ("reset", "recovery_code"):
        assert session.scalar(text(f"SELECT count(*) FROM accounts.{table}")) == 0


def test_who_agreed_to_a_reset_is_forgotten_with_its_code(client, app, session):
    second = people.admin()
    made = reset(client, people.admin(), people.admin().account_id)
    confirm(client, second, made["id"])
    erase_data(session, Subject(account_id=second.account_id), datetime.now(UTC))
    row = session.execute(
        text("SELECT confirmed_by, code_hash, ended_at FROM accounts.reset")
    ).one()
    assert (row.confirmed_by, row.code_hash) == (None, None)
    assert row.ended_at is not None
