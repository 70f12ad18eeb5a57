"""The database holds the rule itself: whatever the code above believes."""

import approvals_world as world
import people
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

pytestmark = pytest.mark.usefixtures("database", "toy")
APPLY = "UPDATE approvals.proposal SET status = 'applied', ended_at = now() WHERE id = :id"
DECIDE = """
INSERT INTO approvals.decision (proposal_id, approver_id, account_id, unit_id, verdict)
SELECT :id, a.id, a.account_id, a.unit_id, :verdict FROM approvals.approver a
 WHERE a.account_id = :account
"""

ONLY_LIVE = DECIDE + " AND a.ended_at IS NULL"


def ask(session, by=None):
    return world.proposed("toy.change", {"size": 3}, reason="exercise", by=by, session=session)


def refuses(session, statement, name, **values):
    with pytest.raises(IntegrityError) as caught, session.begin_nested():
        session.execute(text(statement), values)
    assert caught.value.orig.diag.constraint_name == name, caught.value


def says(session, proposal, someone, verdict="approve"):
    values = {"id": proposal, "account": someone.account_id, "verdict": verdict}
    session.execute(text(ONLY_LIVE), values)


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
    other = people.hall(session=session)
    people.employ(one, other, session=session)
    world.appoint(one, other, session=session)
    asked = {"id": proposal, "account": one.account_id, "verdict": "approve"}
    refuses(session, ONLY_LIVE, "uq_decision_proposal_id_account_id", **asked)


def test_one_person_with_two_accounts_is_one_person(session):
    """Two authorities, two sign-ins, one human: the second word is refused, the first counts."""
    proposal, one, two = ask(session), *world.approvers(session=session)
    twice = two_accounts_of_one(session, one, two)
    says(session, proposal, one)
    asked = {"id": proposal, "account": twice.account_id, "verdict": "approve"}
    refuses(session, ONLY_LIVE, "ck_decision_one_person", **asked)
    refuses(session, ONLY_LIVE, "ck_decision_one_person", **{**asked, "verdict": "reject"})
    refuses(session, APPLY, "ck_proposal_enough_approvals", id=proposal)


def two_accounts_of_one(session, one, two):
    """Appoint a second account of the first one's person, past the rule that ends the first."""
    with world.as_owner(session) as owner:
        binding = """
        WITH his AS (SELECT person_id FROM accounts.binding WHERE account_id = :one),
             ended AS (UPDATE accounts.binding SET ended_at = now() WHERE account_id = :two),
             over AS (UPDATE approvals.approver SET ended_at = now() WHERE account_id = :two
                      RETURNING unit_id)
        SELECT his.person_id, over.unit_id FROM his, over
        """
        facts = {"one": one.account_id, "two": two.account_id}
        found = owner.execute(text(binding), facts).one()
        people.bind(two, found.person_id, session=owner)
        owner.execute(
            text(
                "INSERT INTO approvals.approver (account_id, unit_id, binding_id) SELECT "
                "account_id, :unit, id FROM accounts.binding "
                "WHERE account_id = :two AND ended_at IS NULL"
            ),
            {**facts, "unit": found.unit_id},
        )
    return two


def test_people_are_counted_even_where_both_words_came_in(session):
    """The count itself, with the rule for single words taken away."""
    proposal, one, two = ask(session), *world.approvers(session=session)
    twice = two_accounts_of_one(session, one, two)
    with world.as_owner(session) as owner:
        owner.execute(text("ALTER TABLE approvals.decision DISABLE TRIGGER hold_decisions"))
    says(session, proposal, one)
    says(session, proposal, twice, "approve")
    refuses(session, APPLY, "ck_proposal_enough_approvals", id=proposal)
    says(session, proposal, world.approver(session=session))
    session.execute(text(APPLY), {"id": proposal})


def test_a_proposer_does_not_decide_with_another_account(session):
    one, other = world.approver(session=session), people.staff(None, None, session=session)
    person_id = session.scalar(
        text("SELECT person_id FROM accounts.binding WHERE account_id = :a"), {"a": one.account_id}
    )
    people.bind(other, person_id, session=session)
    asked = {"id": ask(session, by=other), "account": one.account_id, "verdict": "approve"}
    refuses(session, DECIDE, "ck_decision_by_another", **asked)
    # Nor once the other account stands for somebody else.
    people.bind(other, session=session)
    refuses(session, DECIDE, "ck_decision_by_another", **asked)


def test_nobody_in_particular_proposes(session):
    someone = people.staff(None, None, session=session)
    copied = """
    INSERT INTO approvals.proposal
           (kind, digest, summary, reason, evidence_sealed, approvals_needed, expires_at,
            proposed_by)
    SELECT kind, digest, summary, reason, evidence_sealed, 2, expires_at, :by
      FROM approvals.proposal WHERE id = :id
    """
    refuses(session, copied, "ck_proposal_by_a_person", id=ask(session), by=someone.account_id)


def test_an_approval_of_somebody_the_account_stands_for_no_more_does_not_count(session):
    proposal, (one, two) = ask(session), world.approvers(session=session)
    says(session, proposal, one)
    says(session, proposal, two)
    people.bind(two, session=session)
    refuses(session, APPLY, "ck_proposal_enough_approvals", id=proposal)
    asked = {"id": ask(session), "account": two.account_id, "verdict": "approve"}
    refuses(session, DECIDE, "ck_decision_by_approver", **asked)


MAKE = "INSERT INTO approvals.approver (account_id, unit_id{more}) VALUES (:a, :u{value})"


@pytest.mark.parametrize(
    "statement",
    [
        MAKE.format(more="", value=""),
        "UPDATE approvals.approver SET unit_id = :u WHERE account_id = :a",
        "UPDATE approvals.approver SET account_id = :a",
        "UPDATE approvals.approver SET binding_id = NULL WHERE account_id = :a",
        "UPDATE approvals.approver SET appointed_at = now() WHERE account_id = :a",
        "DELETE FROM approvals.approver WHERE account_id = :a",
        "ALTER TABLE approvals.approver DISABLE TRIGGER ALL",
        "SELECT approvals.appoint_agreed(:proposal) WHERE :a <> :u",
    ],
)
def test_the_applications_role_makes_no_approver_and_moves_none(session, statement):
    """Whoever stole it: rights end here, not at the code above."""
    someone, unit = world.approver(session=session), people.hall(session=session)
    payload = {"account_id": people.staff(unit, session=session).account_id}
    payload["organisation_id"] = unit
    people.bind(
        people.Someone(account_id=payload["account_id"], token="", device_id=None), session=session
    )
    proposal = world.proposed("approvals.appoint", payload, reason="new_approver", session=session)
    says(session, proposal, world.approver(session=session))
    asked = {"a": someone.account_id, "u": unit, "proposal": proposal}
    with pytest.raises(ProgrammingError) as caught, session.begin_nested():
        session.execute(text(statement), asked)
    assert isinstance(caught.value.orig, InsufficientPrivilege)


def test_an_appointment_that_ended_stays_ended(session):
    someone = world.approver(session=session)
    world.services.dismiss(session, account_id=someone.account_id)
    revive = "UPDATE approvals.approver SET ended_at = NULL WHERE account_id = :a"
    later = (
        "UPDATE approvals.approver SET ended_at = now() + interval '9 days' WHERE account_id = :a"
    )
    for statement in (revive, later):
        refuses(session, statement, "ck_approver_stays", a=someone.account_id)


def test_two_who_agreed_appoint_exactly_whom_they_were_asked_about(session):
    """By raw SQL as well: once, the account and unit that were proposed, and nobody else."""
    unit, other = people.hall(session=session), people.hall(session=session)
    newcomer = people.staff(unit, session=session)
    people.bind(newcomer, session=session)
    payload = {"account_id": newcomer.account_id, "organisation_id": unit}
    proposal = world.proposed("approvals.appoint", payload, reason="new_approver", session=session)
    change = """
    UPDATE approvals.proposal SET approvals_needed = 3,
           summary = summary || jsonb_build_object('organisation_id', cast(:other AS text))
     WHERE id = :id
    """
    refuses(session, change, "ck_proposal_as_proposed", id=proposal, other=str(other))
    for someone in world.approvers(session=session):
        says(session, proposal, someone)
    by = {"id": proposal}
    session.execute(text("SELECT approvals.appoint_agreed(:id)"), by)
    made = session.execute(
        text("SELECT account_id, unit_id FROM approvals.approver WHERE appointed_by = :id"), by
    ).all()
    assert [tuple(row) for row in made] == [(newcomer.account_id, unit)]
    with pytest.raises(ProgrammingError, match="nobody agreed"), session.begin_nested():
        session.execute(text("SELECT approvals.appoint_agreed(:id)"), by)


@pytest.mark.parametrize(
    "change",
    [
        "person_id = (SELECT id FROM accounts.person ORDER BY id LIMIT 1)",
        "bound_at = now() - interval '1 year'",
        "account_id = (SELECT id FROM accounts.account ORDER BY id LIMIT 1)",
    ],
)
def test_whom_an_account_stood_for_is_never_written_anew(session, change):
    people.citizen(session=session)
    someone = world.approver(session=session)
    statement = f"UPDATE accounts.binding SET {change} WHERE account_id = :a"
    refuses(session, statement, "ck_binding_stays", a=someone.account_id)
    remove = "DELETE FROM accounts.binding WHERE account_id = :a"
    refuses(session, remove, "ck_binding_stays", a=someone.account_id)
    session.execute(text("UPDATE accounts.binding SET ended_at = now()"))
    revive = "UPDATE accounts.binding SET ended_at = NULL WHERE account_id = :a"
    refuses(session, revive, "ck_binding_stays", a=someone.account_id)


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
