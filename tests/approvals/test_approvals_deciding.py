"""Two people of different units, neither of them the proposer, and nothing before that."""

import approvals_toy
import approvals_world as world
import people
import pytest

from citizen_cloud.approvals.refusals import (
    AlreadyDecided,
    EvidenceMissing,
    NotAnApprover,
    OwnProposal,
    ProposalOver,
    ReasonUnknown,
    UnitTaken,
)

pytestmark = pytest.mark.usefixtures("database", "toy")


def ask(by=None, size=3, **more):
    return world.proposed("toy.change", {"size": size}, reason="exercise", by=by, **more)


def test_two_approvers_of_different_units_bring_it_about(session):
    proposal = ask(session=session)
    one, two = world.approvers(session=session)
    assert world.say("approve", proposal, one, session=session).status == "open"
    assert approvals_toy.count(session) == 0
    decided = world.say("approve", proposal, two, session=session)
    assert (decided.status, decided.outcome) == ("applied", {"size": 3})
    assert approvals_toy.count(session) == 1


def test_two_approvers_of_one_unit_are_one(session):
    proposal, unit = ask(session=session), people.hall(session=session)
    one, two = (world.approver(unit, session=session) for _ in range(2))
    world.say("approve", proposal, one, session=session)
    with pytest.raises(UnitTaken):
        world.say("approve", proposal, two, session=session)
    assert world.state(proposal, session=session) == "open"


def test_nobody_decides_what_he_proposed(session):
    proposer = world.approver(session=session)
    proposal = ask(by=proposer, session=session)
    for verdict in ("approve", "reject"):
        with pytest.raises(OwnProposal):
            world.say(verdict, proposal, proposer, session=session)


def test_one_approver_has_one_word(session):
    proposal, (one, _) = ask(session=session), world.approvers(session=session)
    world.say("approve", proposal, one, session=session)
    with pytest.raises(AlreadyDecided):
        world.say("approve", proposal, one, session=session)


def test_a_role_alone_decides_nothing(session):
    proposal = ask(session=session)
    for someone in (
        people.manager(people.hall(session=session), session=session),
        people.admin(session=session),
        people.auditor(session=session),
    ):
        with pytest.raises(NotAnApprover):
            world.say("approve", proposal, someone, session=session)


def test_one_rejection_ends_it(session):
    proposal, (one, two) = ask(session=session), world.approvers(session=session)
    assert world.say("reject", proposal, one, session=session).status == "rejected"
    with pytest.raises(ProposalOver):
        world.say("approve", proposal, two, session=session)


@pytest.mark.parametrize("evidence", [None, "", "   "])
def test_nothing_is_proposed_without_evidence(session, evidence):
    with pytest.raises(EvidenceMissing):
        ask(evidence=evidence, session=session)


def test_a_reason_is_one_of_the_list(session):
    with pytest.raises(ReasonUnknown):
        world.proposed("toy.change", {"size": 1}, reason="because", session=session)
