"""Approvers are people: appointments name a bound account, and the machine's owner alone appoints.

Appointments from before name nobody and end: each is bound and appointed anew.
"""

import sqlalchemy as sa
from alembic import context, op

revision = "approvals_0002"
down_revision = "approvals_0001"
branch_labels = None
depends_on = ("accounts_0006",)

# Whether two accounts ever stood for one person: who was the proposer once, is.
ONE = """
CREATE FUNCTION approvals.are_one(one uuid, other uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM accounts.binding b
                     JOIN accounts.binding o ON o.person_id = b.person_id
                    WHERE b.account_id = are_one.one AND o.account_id = are_one.other)
$$
"""
# How many agreed: people, accounts and units, whichever are fewest; none where one objects.
AGREED = """
CREATE FUNCTION approvals.agreed(asked uuid) RETURNS integer LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    units integer;
    accounts integer;
    people integer;
BEGIN
    IF EXISTS (SELECT FROM approvals.decision d
                WHERE d.proposal_id = asked AND d.verdict = 'reject') THEN
        RETURN 0;
    END IF;
    SELECT count(DISTINCT d.unit_id), count(DISTINCT d.account_id), count(DISTINCT b.person_id)
      INTO units, accounts, people
      FROM approvals.decision d
      JOIN approvals.proposal p ON p.id = d.proposal_id
      JOIN approvals.approver a ON a.id = d.approver_id
      JOIN accounts.binding b ON b.id = a.binding_id
     WHERE d.proposal_id = asked AND d.verdict = 'approve'
       AND d.account_id IS DISTINCT FROM p.proposed_by
       AND a.ended_at IS NULL AND b.ended_at IS NULL
       AND NOT approvals.are_one(p.proposed_by, d.account_id);
    RETURN least(units, accounts, people);
END $$
"""
PROPOSAL_RULE = """
CREATE OR REPLACE FUNCTION approvals.hold_the_rule() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'open' THEN
            RAISE EXCEPTION 'a proposal begins open'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_proposal_begins_open';
        END IF;
        IF NEW.proposed_by IS NOT NULL AND NOT EXISTS (
            SELECT FROM accounts.binding b WHERE b.account_id = NEW.proposed_by
               AND b.bound_at IS NOT NULL AND b.ended_at IS NULL) THEN
            RAISE EXCEPTION 'who proposes is somebody'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_proposal_by_a_person';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.status <> 'open' AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'a proposal ends once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_proposal_ends_once';
    END IF;
    IF (NEW.id, NEW.kind, NEW.digest, NEW.reason, NEW.proposed_by, NEW.unit_id, NEW.created_at)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.digest, OLD.reason, OLD.proposed_by, OLD.unit_id, OLD.created_at)
       OR NEW.approvals_needed < OLD.approvals_needed
       -- What it is about in short changes only where more must agree, or is forgotten. Whom an
       -- appointment names never changes: the database appoints by it.
       OR (NEW.summary IS DISTINCT FROM OLD.summary AND NEW.summary <> '{}'::jsonb
           AND NOT (OLD.status = 'open' AND NEW.approvals_needed > OLD.approvals_needed
                    AND NEW.kind <> 'approvals.appoint')) THEN
        RAISE EXCEPTION 'what was proposed stays as it was proposed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_proposal_as_proposed';
    END IF;
    IF NEW.status = 'applied' AND OLD.status = 'open'
       AND approvals.agreed(NEW.id) < NEW.approvals_needed THEN
        RAISE EXCEPTION 'too few people of different units agreed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_proposal_enough_approvals';
    END IF;
    RETURN NEW;
END $$
"""
DECISION_RULE = """
CREATE OR REPLACE FUNCTION approvals.hold_decisions() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked record;
    said_by uuid;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a decision stays'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decision_stays';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.proposal_id, NEW.approver_id, NEW.account_id, NEW.unit_id, NEW.verdict,
            NEW.decided_at)
           IS DISTINCT FROM
           (OLD.id, OLD.proposal_id, OLD.approver_id, OLD.account_id, OLD.unit_id, OLD.verdict,
            OLD.decided_at) THEN
            RAISE EXCEPTION 'a decision stays'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decision_stays';
        END IF;
        RETURN NEW;
    END IF;
    SELECT b.person_id INTO said_by
      FROM approvals.approver a JOIN accounts.binding b ON b.id = a.binding_id
     WHERE a.id = NEW.approver_id AND a.ended_at IS NULL AND b.ended_at IS NULL;
    IF said_by IS NULL THEN
        RAISE EXCEPTION 'the appointment is over'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decision_by_approver';
    END IF;
    -- Two words of one person at the same moment follow each other.
    SELECT p.status, p.proposed_by INTO asked FROM approvals.proposal p
     WHERE p.id = NEW.proposal_id FOR NO KEY UPDATE;
    IF asked.status <> 'open' OR asked.proposed_by = NEW.account_id
       OR approvals.are_one(asked.proposed_by, NEW.account_id) THEN
        RAISE EXCEPTION 'nobody decides what is over, or what he proposed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decision_by_another';
    END IF;
    IF EXISTS (SELECT FROM approvals.decision d
                WHERE d.proposal_id = NEW.proposal_id AND d.account_id <> NEW.account_id
                  AND approvals.are_one(d.account_id, NEW.account_id)) THEN
        RAISE EXCEPTION 'one person has one word, whatever his accounts'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decision_one_person';
    END IF;
    RETURN NEW;
END $$
"""
# An appointment stays what it was and ends once: a word given under it stays somebody's.
APPROVER_RULE = """
CREATE FUNCTION approvals.hold_appointments() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE'
       OR (NEW.id, NEW.account_id, NEW.unit_id, NEW.binding_id, NEW.appointed_by, NEW.appointed_at)
          IS DISTINCT FROM
          (OLD.id, OLD.account_id, OLD.unit_id, OLD.binding_id, OLD.appointed_by, OLD.appointed_at)
       OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) THEN
        RAISE EXCEPTION 'an appointment stays what it was, and ends once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_approver_stays';
    END IF;
    RETURN NEW;
END $$
"""
# The application appoints by no right of its own: this runs as the owner of the table, and asks
# for itself who agreed to exactly this account and unit.
APPOINT = """
CREATE FUNCTION approvals.appoint_agreed(asked uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
    whom record;
    made uuid;
BEGIN
    SELECT p.kind, p.status, p.expires_at, p.approvals_needed,
           (p.summary ->> 'account_id')::uuid AS account_id,
           (p.summary ->> 'organisation_id')::uuid AS unit_id
      INTO found FROM approvals.proposal p
     WHERE p.id = asked AND p.kind = 'approvals.appoint' FOR UPDATE;
    IF found.kind IS NULL OR found.status <> 'open' OR found.expires_at <= statement_timestamp()
       OR approvals.agreed(asked) < found.approvals_needed
       OR EXISTS (SELECT FROM approvals.approver a WHERE a.appointed_by = asked) THEN
        RAISE EXCEPTION 'nobody agreed to appoint by %', asked
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT b.id, b.person_id INTO whom FROM accounts.binding b
     WHERE b.account_id = found.account_id AND b.bound_at IS NOT NULL AND b.ended_at IS NULL;
    -- Two accounts of one person appointed at the same moment follow each other.
    PERFORM FROM accounts.person p WHERE p.id = whom.person_id FOR NO KEY UPDATE;
    UPDATE approvals.approver a SET ended_at = statement_timestamp(), ended_by = asked
     WHERE a.ended_at IS NULL
       AND (a.account_id = found.account_id OR a.binding_id IN (
            SELECT b.id FROM accounts.binding b WHERE b.person_id = whom.person_id));
    INSERT INTO approvals.approver (account_id, unit_id, binding_id, appointed_by)
    VALUES (found.account_id, found.unit_id, whom.id, asked) RETURNING id INTO made;
    RETURN made;
END $$
"""
APPOINT_SIGNATURE = "approvals.appoint_agreed(uuid)"
RIGHTS = (
    "REVOKE INSERT, UPDATE, DELETE ON approvals.approver FROM citizen_cloud_app",
    # Whoever stole the application's role can stop people deciding, and make nobody decide.
    "GRANT UPDATE (ended_at, ended_by) ON approvals.approver TO citizen_cloud_app",
    f"REVOKE ALL ON FUNCTION {APPOINT_SIGNATURE} FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION {APPOINT_SIGNATURE} TO citizen_cloud_app",
)


def upgrade() -> None:
    """Let appointments name people, and let the database hold it."""
    op.add_column("approver", sa.Column("binding_id", sa.Uuid(), nullable=True), schema="approvals")
    op.execute(
        "UPDATE approvals.approver SET ended_at = statement_timestamp() WHERE ended_at IS NULL"
    )
    op.create_check_constraint(
        op.f("ck_approver_is_somebody"),
        "approver",
        "binding_id IS NOT NULL OR ended_at IS NOT NULL",
        schema="approvals",
    )
    op.create_foreign_key(
        op.f("fk_approver_binding"),
        "approver",
        "binding",
        ["binding_id", "account_id"],
        ["id", "account_id"],
        source_schema="approvals",
        referent_schema="accounts",
    )
    op.create_index("ix_approver_binding_id", "approver", ["binding_id"], schema="approvals")
    for function in (ONE, AGREED, PROPOSAL_RULE, DECISION_RULE, APPROVER_RULE, APPOINT):
        op.execute(function)
    op.execute(
        "CREATE TRIGGER hold_appointments BEFORE UPDATE OR DELETE ON approvals.approver "
        "FOR EACH ROW EXECUTE FUNCTION approvals.hold_appointments()"
    )
    for statement in RIGHTS:
        op.execute(statement)


def downgrade() -> None:
    """Go back to accounts and units; the first revision's own words are used again."""
    op.execute("DROP TRIGGER hold_appointments ON approvals.approver")
    before = context.script.get_revision("approvals_0001").module
    for function in (before.PROPOSAL_RULE, before.DECISION_RULE):
        op.execute(function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    for signature in (
        APPOINT_SIGNATURE,
        "approvals.hold_appointments()",
        "approvals.agreed(uuid)",
        "approvals.are_one(uuid, uuid)",
    ):
        op.execute(f"DROP FUNCTION {signature}")
    op.drop_column("approver", "binding_id", schema="approvals")
    op.execute("GRANT INSERT, UPDATE, DELETE ON approvals.approver TO citizen_cloud_app")
