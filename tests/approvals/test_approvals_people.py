"""One person is one, in whatever order his accounts come to speak, and whoever resets them."""

import approvals_world as world
import people
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from citizen_cloud.approvals.refusals import (
    AlreadyDecided,
    NobodyBound,
    NotIndependent,
    OwnProposal,
    StandingChanged,
)
from citizen_cloud.approvals.services import deciding

API = "/api/v1"


def ask(session, **more):
    return world.proposed("toy.change", {"size": 3}, reason="exercise", session=session, **more)


def person_of(someone, session):
    found = text(
        "SELECT person_id FROM accounts.binding WHERE account_id = :a AND ended_at IS NULL"
    )
    return session.scalar(found, {"a": someone.account_id})


def lent(someone, unit_id, session):
    """Have a citizen lend himself to an account that stood for another, and appoint it anew."""
    people.bind(someone, session=session)
    world.appoint(someone, unit_id, session=session)


@pytest.fixture
def unit(toy, session):
    return people.hall(session=session)


@pytest.fixture
def one(unit, session):
    return world.approver(session=session)


@pytest.fixture
def handed_on(one, unit, session):
    """An approver whose account stood for the first one's person before it stood for another."""
    other = people.staff(unit, session=session)
    people.bind(other, person_of(one, session), session=session)
    lent(other, unit, session)
    return other


@pytest.mark.parametrize("is_first", [True, False])
def test_an_account_that_stood_for_him_is_no_second_person(one, handed_on, session, is_first):
    first, second = (one, handed_on) if is_first else (handed_on, one)
    proposal = ask(session)
    world.say("approve", proposal, first, session=session)
    with pytest.raises(AlreadyDecided):
        world.say("approve", proposal, second, session=session)


@pytest.mark.parametrize("is_first", [True, False])
def test_nor_decides_it_what_he_proposed(one, handed_on, session, is_first):
    proposer, approver = (one, handed_on) if is_first else (handed_on, one)
    with pytest.raises(OwnProposal):
        world.say("approve", ask(session, by=proposer), approver, session=session)


@pytest.mark.parametrize("is_first", [True, False])
def test_the_database_says_the_same(one, handed_on, session, monkeypatch, is_first):
    monkeypatch.setattr(deciding, "_is_among", lambda *_: False)
    first, second = (one, handed_on) if is_first else (handed_on, one)
    proposal = ask(session)
    world.say("approve", proposal, first, session=session)
    with pytest.raises(StandingChanged), session.begin_nested():
        world.say("approve", proposal, second, session=session)
    with pytest.raises(StandingChanged), session.begin_nested():
        world.say("approve", ask(session, by=first), second, session=session)


def test_who_turns_out_to_be_the_proposer_stops_counting_and_nobody_else(unit, session):
    """His word is worth nothing then; those of others still bring it about."""
    proposer, (one, two, three) = people.admin(session=session), world.approvers(3, session=session)
    proposal = ask(session, by=proposer)
    world.say("approve", proposal, one, session=session)
    people.bind(proposer, person_of(one, session), session=session)
    assert world.say("approve", proposal, two, session=session).status == "open"
    assert world.say("approve", proposal, three, session=session).status == "applied"


def test_whoever_resets_an_account_does_not_become_its_person(client, toy, session):
    """The administrator holds the account then, not the citizen it stood for: who is told."""
    unit = people.hall(session=session)
    clerk, me = people.staff(unit, session=session), people.citizen(session=session)
    people.bind(clerk, me.person_id, session=session)
    shown = client.post(f"{API}/me/person-binding", headers=clerk.headers).json["code"]
    path = f"{API}/admin/accounts/{clerk.account_id}/reset"
    made = client.post(path, headers=people.admin_headers())
    sent = {"code": made.json["code"], "password": "四月的风 吹过海边 43"}
    assert client.post(f"{API}/auth/reset", json=sent).status_code == 200
    assert not people.is_bound(clerk, session=session)
    # Nor does a code from before the reset bind what is in other hands now.
    late = client.post(
        f"{API}/me/staff-accounts", json={"code": shown, "username": "x"}, headers=me.headers
    )
    assert late.json["code"] == "binding_code_invalid"
    payload = {"account_id": clerk.account_id, "organisation_id": unit}
    with pytest.raises(NobodyBound):
        world.proposed("approvals.appoint", payload, reason="after_reset", session=session)
    told = text(
        "SELECT payload ->> 'account_id' FROM jobs.outbox "
        "WHERE event = 'accounts.staff_account_unbound'"
    )
    assert session.scalars(told).all() == [str(me.account_id)]


def test_an_appointment_two_agreed_to_is_not_made_when_its_time_is_over(toy, session):
    unit = people.hall(session=session)
    newcomer = people.somebody(people.staff(unit, session=session), session=session)
    payload = {"account_id": newcomer.account_id, "organisation_id": unit}
    proposal = world.proposed("approvals.appoint", payload, reason="new_approver", session=session)
    say = """
    INSERT INTO approvals.decision (proposal_id, approver_id, account_id, unit_id, verdict)
    SELECT :id, id, account_id, unit_id, 'approve' FROM approvals.approver WHERE account_id = :a
    """
    for someone in world.approvers(session=session):
        session.execute(text(say), {"id": proposal, "a": someone.account_id})
    session.execute(
        text("UPDATE approvals.proposal SET expires_at = now() - interval '1 hour' WHERE id = :id"),
        {"id": proposal},
    )
    with pytest.raises(ProgrammingError, match="nobody agreed"), session.begin_nested():
        session.execute(text("SELECT approvals.appoint_agreed(:id)"), {"id": proposal})


def test_approvers_see_whom_they_appoint_and_that_the_account_was_reset(client, toy, session):
    unit = people.hall(session=session)
    newcomer = people.somebody(people.staff(unit, session=session), session=session)
    reset = (
        "INSERT INTO accounts.reset (account_id, needs_second, created_at, expires_at, used_at) "
        "VALUES (:a, false, now(), now(), now())"
    )
    session.execute(text(reset), {"a": newcomer.account_id})
    payload = {"account_id": newcomer.account_id, "organisation_id": unit}
    proposal = world.proposed("approvals.appoint", payload, reason="new_approver", session=session)
    reader = world.approver(session=session)
    shown = client.get(f"{API}/approvals/{proposal}", headers=reader.headers).json["payload"]
    assert shown["account_id"] == str(newcomer.account_id)
    assert shown["username"] == people.username_of(newcomer, session=session)
    assert shown["bound_at"]
    assert shown["reset_at"]


@pytest.mark.parametrize("is_one_human", [True, False])
def test_whom_one_human_let_in_with_two_accounts_are_no_two_approvers(toy, session, is_one_human):
    hosts = [people.admin(session=session) for _ in range(2)]
    person_id = people.bind(hosts[0], session=session)
    people.bind(hosts[1], person_id if is_one_human else None, session=session)
    approvers = world.approvers(session=session)
    let_in = (
        "INSERT INTO organisations.invitation (organisation_id, role, code_hash, invited_by, "
        "expires_at, accepted_at, account_id) SELECT organisation_id, 'staff', "
        "uuid_send(uuidv7()), :by, now(), now(), :who FROM organisations.membership "
        "WHERE account_id = :who"
    )
    for host, guest in zip(hosts, approvers, strict=True):
        session.execute(text(let_in), {"by": host.account_id, "who": guest.account_id})
    proposal = ask(session)
    world.say("approve", proposal, approvers[0], session=session)
    if is_one_human:
        with pytest.raises(NotIndependent):
            world.say("approve", proposal, approvers[1], session=session)
    else:
        said = world.say("approve", proposal, approvers[1], session=session)
        assert said.status == "applied"
