"""Approvers hear what waits for them, proposers what became of it; nobody what it is about."""

from datetime import timedelta

import approvals_world as world
import people
import pytest
from sqlalchemy import text

from citizen_cloud import clock
from citizen_cloud.app import contributions
from citizen_cloud.approvals import jobs
from citizen_cloud.approvals.personal_data import erase_data, export_data
from citizen_cloud.cli.jobs import handlers_of
from citizen_cloud.jobs.dispatch import dispatch
from citizen_cloud.manifest import Subject
from citizen_cloud.registry.discovery import discover

pytestmark = pytest.mark.usefixtures("app", "toy")


def work():
    handlers = handlers_of((*contributions(), *discover().modules.values()))
    while dispatch(handlers):
        pass


def told(session, someone):
    return session.scalars(
        text("SELECT kind FROM messages.message WHERE account_id = :a ORDER BY id"),
        {"a": someone.account_id},
    ).all()


def ask(by=None, **more):
    return world.proposed("toy.change", {"size": 3}, reason="exercise", by=by, **more)


def test_approvers_are_told_and_the_proposer_is_not_asked(session):
    proposer, (one, two) = world.approver(), world.approvers()
    ask(by=proposer)
    work()
    for someone, count in ((one, 1), (two, 1), (proposer, 0), (people.admin(), 0)):
        assert told(session, someone) == ["approvals.proposed"] * count


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_the_proposer_hears_what_became_of_it(session, verdict):
    proposer, approvers = people.admin(), world.approvers()
    proposal = ask(by=proposer)
    for someone in approvers[: 2 if verdict == "approve" else 1]:
        world.say(verdict, proposal, someone)
    work()
    ended = "applied" if verdict == "approve" else "rejected"
    assert told(session, proposer) == [f"approvals.{ended}"]


def test_what_nobody_decides_expires_and_says_so(session):
    proposer = people.admin()
    proposal = ask(by=proposer, now=clock.now() - timedelta(days=4))
    assert jobs.expire(None) == 1
    work()
    assert world.state(proposal) == "expired"
    assert told(session, proposer) == ["approvals.expired"]


def test_what_ended_long_ago_says_no_more_about_whom(session):
    proposal, one = ask(), world.approver()
    world.say("reject", proposal, one, note="已核对")
    assert jobs.forget(clock.now() + timedelta(days=179)) == 0
    assert jobs.forget(clock.now() + timedelta(days=181)) == 1
    left = text(
        "SELECT p.payload_sealed, d.note_sealed, d.verdict FROM approvals.proposal p "
        "JOIN approvals.decision d ON d.proposal_id = p.id"
    )
    assert session.execute(left).one() == (None, None, "reject")


def test_an_official_gets_the_own_words_and_they_are_forgotten(session):
    one = world.approver()
    proposal = ask()
    world.say("approve", proposal, one, note="已核对案卷")
    own = ask(by=one)
    subject = Subject(account_id=one.account_id)
    bundle = export_data(session, subject)
    assert [each["note"] for each in bundle["decisions"]] == ["已核对案卷"]
    assert [each["id"] for each in bundle["proposals"]] == [own]
    assert len(bundle["appointments"]) == 1
    assert erase_data(session, subject, clock.now()) == 3
    after = export_data(session, subject)
    assert [each["note"] for each in after["decisions"]] == [None]
    assert [each["status"] for each in after["proposals"]] == ["withdrawn"]
    assert erase_data(session, subject, clock.now()) == 0
    # Whoever has gone decides nothing, and what he agreed to counts no more.
    assert world.say("approve", proposal, world.approver()).status == "open"
