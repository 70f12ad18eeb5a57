"""The database holds the rule itself: whatever the code above believes."""

import approvals_world as world
import people
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

pytestmark = pytest.mark.usefixtures("database", "toy")
APPLY = "UPDATE approvals.proposal SET status = 'applied', ended_at = now() WHERE id = :id"
DECIDE = """
INSERT INTO approvals.decision (proposal_id, approver_id, account_id, unit_id, verdict)
SELECT :id, a.id, a.account_id, a.unit_id, :verdict FROM approvals.approver a
 WHERE a.account_id = :account
"""


def ask(session, by=None):
    return world.proposed("toy.change", {"size": 3}, reason="exercise", by=by, session=session)


def refuses(session, statement, name, **values):
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        session.execute(text(statement), values)
    assert caught.value.orig.diag.constraint_name == name


def says(session, proposal, someone, verdict="approve"):
    values = {"id": proposal, "account": someone.account_id, "verdict": verdict}
    session.execute(text(DECIDE), values)


def test_applied_needs_two_people_of_two_units(session):
    proposal, (one, two) = ask(session), world.approvers(session=session)
    refuses(session, APPLY, "ck_proposal_enough_approvals", id=proposal)
    says(session, proposal, one)
    refuses(session, APPLY, "ck_proposal_enough_approvals", id=proposal)
    says(session, proposal, two)
    session.execute(text(APPLY), {"id": proposal})


def test_an_approval_whose_appointment_is_over_does_not_count(session):
    proposal, (one, two) = ask(session), world.approvers(session=session)
    says(session, proposal, one)
    says(session, proposal, two)
    session.execute(text("UPDATE approvals.approver SET ended_at = now()"))
    refuses(session, APPLY, "ck_proposal_enough_approvals", id=proposal)


def test_a_rejection_stands_against_it(session):
    proposal, (one, two, three) = ask(session), world.approvers(3, session=session)
    says(session, proposal, one)
    says(session, proposal, two)
    says(session, proposal, three, "reject")
    refuses(session, APPLY, "ck_proposal_enough_approvals", id=proposal)


def test_two_of_one_unit_are_refused(session):
    proposal, unit = ask(session), people.hall(session=session)
    one, two = (world.approver(unit, session=session) for _ in range(2))
    says(session, proposal, one)
    asked = {"id": proposal, "account": two.account_id, "verdict": "approve"}
    refuses(session, DECIDE, "uq_decision_unit", **asked)


def test_one_person_of_two_units_is_one_person(session):
    proposal, one = ask(session), world.approver(session=session)
    says(session, proposal, one)
    session.execute(text("UPDATE approvals.approver SET ended_at = now()"))
    other = people.hall(session=session)
    session.execute(
        text("INSERT INTO approvals.approver (account_id, unit_id) VALUES (:a, :u)"),
        {"a": one.account_id, "u": other},
    )
    only_live = DECIDE + " AND a.ended_at IS NULL"
    asked = {"id": proposal, "account": one.account_id, "verdict": "approve"}
    refuses(session, only_live, "uq_decision_proposal_id_account_id", **asked)


def test_a_proposer_does_not_decide(session):
    one = world.approver(session=session)
    asked = {"id": ask(session, by=one), "account": one.account_id, "verdict": "approve"}
    refuses(session, DECIDE, "ck_decision_by_another", **asked)


def test_nothing_begins_applied(session):
    copied = """
    INSERT INTO approvals.proposal
           (kind, digest, summary, reason, evidence_sealed, approvals_needed, status, ended_at,
            expires_at)
    SELECT kind, digest, summary, reason, evidence_sealed, 2, 'applied', now(), expires_at
      FROM approvals.proposal WHERE id = :id
    """
    refuses(session, copied, "ck_proposal_begins_open", id=ask(session))


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'toy.other'",
        "digest = '\\x00'",
        "reason = 'other'",
        "proposed_by = NULL",
        "approvals_needed = 2",
    ],
)
def test_what_was_proposed_stays_as_it_was(session, change):
    proposal = ask(session, by=people.admin(session=session))
    session.execute(text("UPDATE approvals.proposal SET approvals_needed = 3"))
    statement = f"UPDATE approvals.proposal SET {change} WHERE id = :id"
    refuses(session, statement, "ck_proposal_as_proposed", id=proposal)


def test_fewer_than_two_are_never_enough(session):
    proposal = ask(session)
    statement = "UPDATE approvals.proposal SET approvals_needed = 1 WHERE id = :id"
    refuses(session, statement, "ck_proposal_as_proposed", id=proposal)
    fresh = """
    INSERT INTO approvals.proposal
           (kind, digest, summary, reason, evidence_sealed, approvals_needed, expires_at)
    SELECT kind, digest, summary, reason, evidence_sealed, 1, expires_at
      FROM approvals.proposal WHERE id = :id
    """
    refuses(session, fresh, "ck_proposal_two_at_least", id=proposal)


def test_what_ended_stays_ended(session):
    proposal, one = ask(session), world.approver(session=session)
    world.say("reject", proposal, one, session=session)
    again = "UPDATE approvals.proposal SET status = 'open', ended_at = NULL WHERE id = :id"
    refuses(session, again, "ck_proposal_ends_once", id=proposal)
    two = world.approver(session=session)
    asked = {"id": proposal, "account": two.account_id, "verdict": "approve"}
    refuses(session, DECIDE, "ck_decision_by_another", **asked)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approvals.decision SET verdict = 'reject' WHERE proposal_id = :id",
        "UPDATE approvals.decision SET decided_at = '2026-01-01' WHERE proposal_id = :id",
        "DELETE FROM approvals.decision WHERE proposal_id = :id",
    ],
)
def test_a_decision_stays(session, statement):
    proposal, one = ask(session), world.approver(session=session)
    world.say("approve", proposal, one, session=session)
    refuses(session, statement, "ck_decision_stays", id=proposal)
