"""Create the tables of the approvals room, and the rule the database itself holds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "approvals_0001"
down_revision = None
branch_labels = ("approvals",)
depends_on = ("organisations_0002",)

NOW = sa.text("statement_timestamp()")
NEW_ID = sa.text("uuidv7()")
INSTANT = sa.DateTime(timezone=True)
SCHEMA = "approvals"

# Whatever the code above believes: applied means that so many people of so many units agreed.
PROPOSAL_RULE = """
CREATE FUNCTION approvals.hold_the_rule() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    units integer;
    people integer;
    against integer;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'open' THEN
            RAISE EXCEPTION 'a proposal begins open'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_proposal_begins_open';
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
       -- What it is about in short changes only where more must agree, or is forgotten.
       OR (NEW.summary IS DISTINCT FROM OLD.summary AND NEW.summary <> '{}'::jsonb
           AND NOT (OLD.status = 'open' AND NEW.approvals_needed > OLD.approvals_needed)) THEN
        RAISE EXCEPTION 'what was proposed stays as it was proposed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_proposal_as_proposed';
    END IF;
    IF NEW.status = 'applied' AND OLD.status = 'open' THEN
        SELECT count(DISTINCT d.unit_id) FILTER (WHERE d.verdict = 'approve'),
               count(DISTINCT d.account_id) FILTER (WHERE d.verdict = 'approve'),
               count(*) FILTER (WHERE d.verdict = 'reject')
          INTO units, people, against
          FROM approvals.decision d JOIN approvals.approver a ON a.id = d.approver_id
         WHERE d.proposal_id = NEW.id AND d.account_id IS DISTINCT FROM NEW.proposed_by
           AND a.ended_at IS NULL;
        IF least(units, people) < NEW.approvals_needed OR against > 0 THEN
            RAISE EXCEPTION 'too few people of different units agreed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_proposal_enough_approvals';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""
DECISION_RULE = """
CREATE FUNCTION approvals.hold_decisions() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF EXISTS (SELECT 1 FROM approvals.proposal p
                WHERE p.id = NEW.proposal_id
                  AND (p.status <> 'open' OR p.proposed_by = NEW.account_id)) THEN
        RAISE EXCEPTION 'nobody decides what is over, or what he proposed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decision_by_another';
    END IF;
    IF EXISTS (SELECT 1 FROM approvals.approver a
                WHERE a.id = NEW.approver_id AND a.ended_at IS NOT NULL) THEN
        RAISE EXCEPTION 'the appointment is over'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_decision_by_approver';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGERS = (
    """
    CREATE TRIGGER hold_the_rule BEFORE INSERT OR UPDATE ON approvals.proposal
        FOR EACH ROW EXECUTE FUNCTION approvals.hold_the_rule()
    """,
    """
    CREATE TRIGGER hold_decisions BEFORE INSERT OR UPDATE OR DELETE ON approvals.decision
        FOR EACH ROW EXECUTE FUNCTION approvals.hold_decisions()
    """,
)


def upgrade() -> None:
    """Create the tables and the triggers."""
    _proposal()
    _approver()
    _decision()
    for statement in (PROPOSAL_RULE, DECISION_RULE, *TRIGGERS):
        op.execute(statement)


def _proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("payload_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("summary", JSONB(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("approvals_needed", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), server_default=sa.text("'open'"), nullable=False),
        sa.Column("outcome", JSONB(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "status IN ('open','applied','rejected','withdrawn','expired','failed')",
            name=op.f("ck_proposal_status"),
        ),
        sa.CheckConstraint(
            "(status = 'open') = (ended_at IS NULL)", name=op.f("ck_proposal_ended")
        ),
        sa.CheckConstraint("approvals_needed >= 2", name=op.f("ck_proposal_two_at_least")),
        _points("proposal", "proposed_by", "accounts.account.id"),
        _points("proposal", "unit_id", "organisations.organisation.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_proposal_open",
        "proposal",
        ["expires_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("status = 'open'"),
    )
    for column in ("proposed_by", "unit_id"):
        op.create_index(f"ix_proposal_{column}", "proposal", [column], schema=SCHEMA)


def _approver() -> None:
    op.create_table(
        "approver",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("appointed_by", sa.Uuid(), nullable=True),
        sa.Column("appointed_at", INSTANT, server_default=NOW, nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        _points("approver", "account_id", "accounts.account.id"),
        _points("approver", "unit_id", "organisations.organisation.id"),
        _points("approver", "appointed_by", "approvals.proposal.id"),
        _points("approver", "ended_by", "approvals.proposal.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approver")),
        sa.UniqueConstraint(
            "id", "account_id", "unit_id", name=op.f("uq_approver_id_account_id_unit_id")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_approver_live",
        "approver",
        ["account_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    for column in ("account_id", "unit_id"):
        op.create_index(f"ix_approver_{column}", "approver", [column], schema=SCHEMA)


def _decision() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("approver_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("decided_at", INSTANT, server_default=NOW, nullable=False),
        sa.CheckConstraint("verdict IN ('approve','reject')", name=op.f("ck_decision_verdict")),
        _points("decision", "proposal_id", "approvals.proposal.id"),
        _points("decision", "account_id", "accounts.account.id"),
        sa.ForeignKeyConstraint(
            ["approver_id", "account_id", "unit_id"],
            [
                "approvals.approver.id",
                "approvals.approver.account_id",
                "approvals.approver.unit_id",
            ],
            name=op.f("fk_decision_approver"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint(
            "proposal_id", "account_id", name=op.f("uq_decision_proposal_id_account_id")
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_decision_unit",
        "decision",
        ["proposal_id", "unit_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("verdict = 'approve'"),
    )
    op.create_index("ix_decision_account_id", "decision", ["account_id"], schema=SCHEMA)


def _points(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def downgrade() -> None:
    """Drop the tables and the functions of their triggers."""
    for table in ("decision", "approver", "proposal"):
        op.drop_table(table, schema=SCHEMA)
    op.execute("DROP FUNCTION approvals.hold_decisions()")
    op.execute("DROP FUNCTION approvals.hold_the_rule()")
