"""Several people at once, with real threads and real commits."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import approvals_toy
import approvals_world as world
import people
import pytest
from approvals_toy import Toy
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.approvals import services
from citizen_cloud.approvals.refusals import StandingChanged
from citizen_cloud.approvals.services import approvers, deciding
from citizen_cloud.errors import Refusal

LIVE_OF = text(
    "SELECT count(*) FROM approvals.approver a JOIN accounts.binding b ON b.id = a.binding_id "
    "WHERE b.person_id = :person_id AND a.ended_at IS NULL"
)


@pytest.fixture(autouse=True)
def _toy(fresh_database, shared_app):
    with world.also(Toy().kind):
        yield


def together(*work):
    """Do things at once; return what each gave, or the code of why not."""
    barrier = threading.Barrier(len(work))

    def one(do):
        barrier.wait()
        try:
            return do()
        except Refusal as refusal:
            return refusal.code

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


def ask(**more):
    return world.proposed("toy.change", {"size": 3}, reason="exercise", **more)


def times_applied():
    with db.transaction() as session:
        return approvals_toy.count(session)


def test_many_last_approvals_at_once_apply_once():
    proposal, (first, *others) = ask(), world.approvers(6)
    world.say("approve", proposal, first)
    said = together(*(lambda o=o: world.say("approve", proposal, o).status for o in others))
    assert sorted(said) == ["applied", *["proposal_over"] * 4]
    assert times_applied() == 1


def test_two_of_one_unit_at_once_are_one():
    proposal, unit = ask(), people.hall()
    pair = [world.approver(unit) for _ in range(4)]
    said = together(*(lambda o=o: world.say("approve", proposal, o).status for o in pair))
    assert sorted(said) == ["open", *["unit_taken"] * 3]
    assert times_applied() == 0


def test_taking_back_and_agreeing_at_once_end_it_one_way():
    proposer, (one, two) = people.admin(), world.approvers()
    for _ in range(4):
        proposal = ask(by=proposer)
        world.say("approve", proposal, one)
        before = times_applied()

        def take_back(proposal=proposal):
            with db.transaction() as session:
                services.withdraw(
                    session,
                    proposal_id=proposal,
                    account_id=proposer.account_id,
                    actor_kind="admin",
                )

        def agree(proposal=proposal):
            return world.say("approve", proposal, two).status

        taken, agreed = together(take_back, agree)
        state = world.state(proposal)
        if state == "withdrawn":
            assert (taken, agreed, times_applied()) == (None, "proposal_over", before)
        else:
            assert (taken, agreed, times_applied()) == ("proposal_over", "applied", before + 1)


def test_two_who_dismiss_each_other_at_once_do_not_wait_for_ever():
    """Both may go, or the first of them; whoever went counts for nothing any more."""
    for _ in range(6):
        one, two, three, four = world.approvers(4)
        against = [
            world.proposed("approvals.dismiss", {"account_id": who.account_id}, reason="left")
            for who in (one, two)
        ]
        for proposal, helper in zip(against, (three, four), strict=True):
            world.say("approve", proposal, helper)
        said = together(
            lambda against=against, two=two: world.say("approve", against[0], two).status,
            lambda against=against, one=one: world.say("approve", against[1], one).status,
        )
        assert set(said) <= {"applied", "open", "not_an_approver", "standing_changed"}
        assert "applied" in said
        for answer, proposal in zip(said, against, strict=True):
            assert (world.state(proposal) == "applied") is (answer == "applied")


def test_whoever_is_dismissed_at_the_same_moment_brings_nothing_about(monkeypatch):
    """Between the look at the appointment and the decision: the database sees who went."""
    proposal, (one, two) = ask(), world.approvers()
    world.say("approve", proposal, one)
    real = deciding._fault

    def slow(*given):
        with db.transaction() as session:
            services.dismiss(session, account_id=two.account_id)
        return real(*given)

    monkeypatch.setattr(deciding, "_fault", slow)
    with pytest.raises(StandingChanged):
        world.say("approve", proposal, two)
    assert world.state(proposal) == "open"
    assert times_applied() == 0


@pytest.fixture
def two_at_once(monkeypatch):
    """Two accounts of one person, and appointments that are made before either is committed."""
    real, barrier = approvers.record, threading.Barrier(2)

    def slow(*given):
        """Wait for the other, unless it waits for this one."""
        with suppress(threading.BrokenBarrierError):
            barrier.wait(timeout=0.5)
        return real(*given)

    units = [people.hall(), people.hall()]
    both = [people.staff(unit) for unit in units]
    person_id = people.bind(both[0])
    people.bind(both[1], person_id)
    monkeypatch.setattr(approvers, "record", slow)
    yield list(zip(both, units, strict=True))
    with db.transaction() as session:
        assert session.scalar(LIVE_OF, {"person_id": person_id}) == 1


def test_two_accounts_of_one_person_appointed_at_once_leave_one_appointment(two_at_once):
    """Each ends the other's; neither may miss it because it is not committed yet."""
    made = together(*(lambda s=s, u=u: world.appoint(s, u) for s, u in two_at_once))
    assert len(set(made)) == len(two_at_once)


def test_two_who_agree_to_two_accounts_of_one_person_at_once_appoint_one(monkeypatch, two_at_once):
    with monkeypatch.context() as quick:
        quick.setattr(approvers, "record", lambda *_: None)
        first, *last = world.approvers(3)
    asked = []
    for someone, unit in two_at_once:
        payload = {"account_id": someone.account_id, "organisation_id": unit}
        asked.append(world.proposed("approvals.appoint", payload, reason="new_approver"))
        world.say("approve", asked[-1], first)
    pairs = zip(asked, last, strict=True)
    said = together(*(lambda p=p, a=a: world.say("approve", p, a).status for p, a in pairs))
    assert said == ["applied", "applied"]
