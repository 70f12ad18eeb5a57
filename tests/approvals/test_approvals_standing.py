"""Whose appointment counts: not the account's, not the role's, and not for longer than it should."""

from datetime import timedelta

import approvals_world as world
import people
import pytest
from sqlalchemy import text

from citizen_cloud import clock
from citizen_cloud.approvals import services
from citizen_cloud.approvals.refusals import (
    NotAnApprover,
    NotEligible,
    NotIndependent,
    OwnProposal,
    ProposalOver,
)
from citizen_cloud.approvals.services.approvers import standing_of
from citizen_cloud.errors import NotFound
from citizen_cloud.organisations.services import Actor, add_member, end_membership

pytestmark = pytest.mark.usefixtures("database", "toy")
SYSTEM = Actor("system", None)


def stands(session, someone):
    return standing_of(session, someone.account_id) is not None


def ask(session, **more):
    return world.proposed("toy.change", {"size": 3}, reason="exercise", session=session, **more)


def note_reset(session, account_id, by=None, used="statement_timestamp()"):
    session.execute(
        text(
            "INSERT INTO accounts.reset (account_id, asked_by, needs_second, code_hash, created_at, "
            f"expires_at, used_at) VALUES (:a, :by, false, :hash, {used}, {used} + interval '1 day', "
            f"{used})"
        ),
        {"a": account_id, "by": by, "hash": account_id.bytes + account_id.bytes},
    )


def test_a_reset_after_the_appointment_voids_it(session):
    someone = world.approver(session=session)
    assert stands(session, someone)
    note_reset(session, someone.account_id)
    assert not stands(session, someone)
    with pytest.raises(NotAnApprover):
        world.say("approve", ask(session), someone, session=session)


def test_a_reset_before_it_does_not(session):
    someone = world.approver(session=session)
    note_reset(session, someone.account_id, used="statement_timestamp() - interval '1 hour'")
    assert stands(session, someone)


def test_whoever_is_appointed_anew_after_a_reset_decides_again(session):
    unit = people.hall(session=session)
    someone = world.approver(unit, session=session)
    note_reset(session, someone.account_id)
    world.appoint(someone, unit, session=session)
    assert stands(session, someone)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts.account SET status = 'suspended' WHERE id = :account",
        "UPDATE organisations.organisation SET status = 'paused' WHERE id = :unit",
        "UPDATE organisations.organisation SET kind = 'venue' WHERE id = :unit",
        "UPDATE organisations.membership SET ended_at = now() WHERE account_id = :account",
        "UPDATE approvals.approver SET ended_at = now() WHERE account_id = :account",
    ],
)
def test_whoever_is_suspended_has_left_or_whose_unit_closed_decides_nothing(session, change):
    unit = people.hall(session=session)
    someone = world.approver(unit, session=session)
    session.execute(text(change), {"account": someone.account_id, "unit": unit})
    assert not stands(session, someone)


def test_whoever_left_and_came_back_is_appointed_anew(session):
    """Otherwise whoever hands roles out could wake an appointment."""
    unit = people.hall(session=session)
    someone = world.approver(unit, session=session)
    end_membership(session, membership_id=someone.membership_ids[0], actor=SYSTEM)
    add_member(
        session,
        organisation_id=unit,
        account_id=someone.account_id,
        role="manager",
        actor=SYSTEM,
    )
    assert not stands(session, someone)


def test_only_staff_of_an_open_authority_are_appointed(session):
    hall, pharmacy = people.hall(session=session), people.pharmacy(session=session)
    clerk = people.staff(pharmacy, session=session)
    for someone, unit in (
        (clerk, hall),
        (clerk, pharmacy),
        (people.admin(session=session), hall),
        (people.auditor(session=session), hall),
        (people.citizen(session=session), hall),
    ):
        with pytest.raises(NotEligible):
            services.appoint(session, account_id=someone.account_id, unit_id=unit)


def test_whoever_was_dismissed_meanwhile_counts_no_more(session):
    proposal, (one, two, three) = ask(session), world.approvers(3, session=session)
    world.say("approve", proposal, one, session=session)
    services.dismiss(session, account_id=one.account_id)
    assert world.say("approve", proposal, two, session=session).status == "open"
    assert world.say("approve", proposal, three, session=session).status == "applied"
    with pytest.raises(NotFound):
        services.dismiss(session, account_id=one.account_id)


@pytest.mark.parametrize("days", [6, 8])
def test_approvers_who_were_let_in_by_one_person_lately_are_one(session, days):
    proposal, (one, two) = ask(session), world.approvers(session=session)
    keeper = people.admin(session=session)
    for each in (one, two):
        at = f"statement_timestamp() - interval '{days} days'"
        note_reset(session, each.account_id, by=keeper.account_id, used=at)
    world.say("approve", proposal, one, session=session)
    if days < 7:
        with pytest.raises(NotIndependent):
            world.say("approve", proposal, two, session=session)
    else:
        assert world.say("approve", proposal, two, session=session).status == "applied"


def test_whoever_the_proposer_let_in_lately_does_not_agree(session):
    keeper, (one, _) = people.admin(session=session), world.approvers(session=session)
    at = "statement_timestamp() - interval '2 days'"
    note_reset(session, one.account_id, by=keeper.account_id, used=at)
    proposal = ask(session, by=keeper)
    with pytest.raises(NotIndependent):
        world.say("approve", proposal, one, session=session)
    # A no may be said by anybody: it does nothing.
    assert world.say("reject", proposal, one, session=session).status == "rejected"


def test_later_approvers_are_appointed_by_those_who_decide(session):
    unit = people.hall(session=session)
    newcomer = people.staff(unit, session=session)
    people.bind(newcomer, session=session)
    payload = {"account_id": newcomer.account_id, "organisation_id": unit}
    proposal = world.proposed("approvals.appoint", payload, reason="new_approver", session=session)
    assert not stands(session, newcomer)
    decided = world.agree(proposal, world.approvers(session=session), session=session)
    assert decided.status == "applied"
    assert stands(session, newcomer)


def test_nobody_nominates_himself_or_decides_on_himself(session):
    unit = people.hall(session=session)
    own, other = world.approver(unit, session=session), people.manager(unit, session=session)
    payload = {"account_id": other.account_id, "organisation_id": unit}
    with pytest.raises(OwnProposal):
        world.proposed(
            "approvals.appoint", payload, reason="new_approver", by=other, session=session
        )
    proposal = world.proposed(
        "approvals.dismiss", {"account_id": own.account_id}, reason="left", session=session
    )
    for verdict in ("approve", "reject"):
        with pytest.raises(OwnProposal):
            world.say(verdict, proposal, own, session=session)
    world.agree(proposal, world.approvers(session=session), session=session)
    assert not stands(session, own)


def test_an_open_proposal_ends_by_itself(session):
    now = clock.now()
    proposal = ask(session, now=now - timedelta(hours=73))
    one = world.approver(session=session)
    with pytest.raises(ProposalOver):
        world.say("approve", proposal, one, session=session)
    assert services.expire_open(session) == 1
    assert services.expire_open(session) == 0
    assert world.state(proposal, session=session) == "expired"
