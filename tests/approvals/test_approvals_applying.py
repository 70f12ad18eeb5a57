"""What enough people agreed to happens as a whole, as it was shown, or not at all."""

import approvals_toy
import approvals_world as world
import pytest
from approvals_toy import Toy
from sqlalchemy import text

from citizen_cloud import crypto
from citizen_cloud.approvals.refusals import ProposalOver
from citizen_cloud.approvals.sealing import payload_place
from citizen_cloud.approvals.services import Word, decide, withdraw
from citizen_cloud.approvals.services.applying import ProposalChanged
from citizen_cloud.errors import NotFound, StaleVersion
from citizen_cloud.manifest import DecisionKind

pytestmark = pytest.mark.usefixtures("app")


def ask(session, size=3, **more):
    return world.proposed("toy.change", {"size": size}, reason="exercise", session=session, **more)


def row(session, proposal_id):
    return session.execute(
        text("SELECT * FROM approvals.proposal WHERE id = :id"), {"id": proposal_id}
    ).one()


def test_what_applying_refuses_leaves_the_decisions_and_nothing_else(session):
    with world.also(Toy(fails=True).kind):
        proposal, approvers = ask(session), world.approvers(session=session)
        decided = world.agree(proposal, approvers, session=session)
    assert (decided.status, decided.outcome) == ("failed", {"code": "toy_refused"})
    assert approvals_toy.count(session) == 0
    said = text("SELECT count(*) FROM approvals.decision WHERE proposal_id = :id")
    assert session.scalar(said, {"id": proposal}) == 2
    assert row(session, proposal).outcome == {"code": "toy_refused"}


def test_a_proposal_that_grew_more_serious_needs_a_third(session):
    needs = [2]
    with world.also(Toy(needs=lambda _: needs[0]).kind):
        proposal, (one, two, three) = ask(session), world.approvers(3, session=session)
        world.say("approve", proposal, one, session=session)
        needs[0] = 3
        assert world.say("approve", proposal, two, session=session).status == "open"
        assert approvals_toy.count(session) == 0
        assert row(session, proposal).approvals_needed == 3
        assert world.say("approve", proposal, three, session=session).status == "applied"


def test_no_kind_gets_away_with_one_approver(session):
    with world.also(Toy(needs=lambda _: 1).kind):
        proposal = ask(session)
        assert row(session, proposal).approvals_needed == 2
        one = world.approver(session=session)
        assert world.say("approve", proposal, one, session=session).status == "open"


def test_a_kind_that_needs_more_later_never_needs_less(session):
    needs = [3]
    with world.also(Toy(needs=lambda _: needs[0]).kind):
        proposal = ask(session)
        needs[0] = 2
        decided = world.agree(proposal, world.approvers(session=session), session=session)
    assert decided.status == "open"


def test_whoever_was_shown_something_else_decides_nothing(session, toy):
    proposal, one = ask(session), world.approver(session=session)
    word = Word(verdict="approve", digest="00" * 32)
    with pytest.raises(StaleVersion):
        decide(session, proposal_id=proposal, account_id=one.account_id, word=word)


def test_a_payload_that_was_changed_past_this_room_is_not_applied(session, toy):
    proposal, (one, two) = ask(session), world.approvers(session=session)
    world.say("approve", proposal, one, session=session)
    other = crypto.current().seal('{"size":9999}', place=payload_place(proposal))
    session.execute(
        text("UPDATE approvals.proposal SET payload_sealed = :other WHERE id = :id"),
        {"other": other, "id": proposal},
    )
    with pytest.raises(ProposalChanged), session.begin_nested():
        world.say("approve", proposal, two, session=session)
    assert row(session, proposal).status == "open"


def test_what_is_proposed_lies_sealed(session, toy):
    proposal = world.proposed(
        "toy.change",
        {"size": 3, "account_id": "person-7391"},
        reason="exercise",
        evidence="案卷雀𠮷",
        session=session,
    )
    clear = str(row(session, proposal))
    assert "7391" not in clear
    assert "案卷" not in clear
    acts = text("SELECT string_agg(payload::text, ' ') FROM audit.entry WHERE object_id = :id")
    told = session.scalar(acts, {"id": proposal})
    assert "7391" not in told


def test_only_who_proposed_takes_it_back_and_only_while_it_is_open(session, toy):
    one, two = world.approvers(session=session)
    proposal = ask(session, by=one)
    with pytest.raises(NotFound):
        withdraw(session, proposal_id=proposal, account_id=two.account_id, actor_kind="staff")
    withdraw(session, proposal_id=proposal, account_id=one.account_id, actor_kind="staff")
    with pytest.raises(ProposalOver):
        world.say("approve", proposal, two, session=session)
    with pytest.raises(ProposalOver):
        withdraw(session, proposal_id=proposal, account_id=one.account_id, actor_kind="staff")


def test_the_kind_sees_the_same_when_it_is_proposed_and_when_it_is_applied(session, toy):
    seen = []
    watching = Toy()

    def check(session, proposal, now):
        seen.append(proposal)
        return Toy().check(session, proposal, now)

    kind = DecisionKind(**{**vars(watching.kind), "name": "toy.seen", "check": check})
    with world.also(kind):
        proposal = world.proposed("toy.seen", {"size": 2}, reason="exercise", session=session)
        world.agree(proposal, world.approvers(session=session), session=session)
    assert len(seen) == 2
    assert seen[0] == seen[1]
