"""One manager is one person: accounts that a manager let in are not a second one."""

import people
import pytest
from sqlalchemy import text

from citizen_cloud import db

API = "/api/v1"
PASSWORD = "四月的风 吹过海边 42"  # noqa: S105 - of a test account


@pytest.fixture
def manager(hall):
    return people.manager(hall.id)


def invited(hall, by, username):
    """Let somebody in by a code that who drew it may have kept."""
    path = f"{API}/admin/organisations/{hall.id}/invitations"
    code = hall.client.post(path, json={"role": "staff"}, headers=by.headers).json["code"]
    sent = {"code": code, "username": username, "password": PASSWORD}
    joined = hall.client.post(f"{API}/auth/invitations/accept", json=sent)
    assert joined.status_code == 200, joined.json
    return signed_in(joined.json["account_id"])


def reset(hall, by, someone):
    path = f"{API}/admin/accounts/{someone.account_id}/reset"
    code = hall.client.post(path, headers=by.headers).json["code"]
    used = hall.client.post(f"{API}/auth/reset", json={"code": code, "password": PASSWORD})
    assert used.status_code == 200, used.json
    return signed_in(someone.account_id)


def signed_in(account_id):
    with db.transaction() as session:
        return people._sign_in(session, account_id, "staff", "pwd otp")


def decide(hall, opener, decider):
    proof = hall.code(people.new_phone(), opener)
    case = hall.open("recovery", people.citizen().document_number, by=opener, **proof)
    assert case.status_code == 201, case.json
    return hall.decide(case.json["id"], by=decider)


def is_refused(answer):
    return (answer.status_code, answer.json["code"]) == (403, "second_person_required")


def test_a_manager_and_whom_he_let_in_are_one(hall, manager):
    puppet = invited(hall, manager, "puppet")
    assert is_refused(decide(hall, puppet, manager))
    assert is_refused(decide(hall, manager, puppet))
    assert decide(hall, puppet, hall.decider).status_code == 200
    assert decide(hall, hall.opener, puppet).status_code == 200


def test_two_whom_one_manager_let_in_are_one(hall, manager):
    puppets = [invited(hall, manager, name) for name in ("puppet", "dummy")]
    assert is_refused(decide(hall, *puppets))
    other = invited(hall, people.manager(hall.id), "honest")
    assert decide(hall, puppets[0], other).status_code == 200


def test_a_colleague_who_was_reset_is_whoever_has_the_code(hall, manager):
    opener = reset(hall, manager, hall.opener)
    assert is_refused(decide(hall, opener, manager))
    assert is_refused(decide(hall, opener, reset(hall, manager, hall.decider)))


def test_after_a_week_they_are_colleagues(hall, manager, session):
    colleague = invited(hall, manager, "colleague")
    session.execute(
        text("UPDATE organisations.invitation SET accepted_at = now() - interval '8 days'")
    )
    assert decide(hall, colleague, manager).status_code == 200


def test_two_accounts_of_one_human_are_one_clerk(hall):
    """Also after a week, and once one of them stands for somebody else."""
    person_id = people.bind(hall.opener)
    people.bind(hall.decider, person_id)
    assert is_refused(decide(hall, hall.opener, hall.decider))
    people.bind(hall.decider)
    assert is_refused(decide(hall, hall.opener, hall.decider))
