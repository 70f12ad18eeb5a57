"""Which person a staff account stands for."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_0006"
down_revision = "accounts_0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
# A binding that was confirmed can only end: whose words counted as whose is never written anew.
HOLD = """
CREATE FUNCTION accounts.hold_bindings() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF OLD.bound_at IS NULL AND TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'DELETE'
       OR (NEW.id, NEW.account_id) IS DISTINCT FROM (OLD.id, OLD.account_id)
       OR (OLD.bound_at IS NOT NULL AND (NEW.person_id, NEW.bound_at)
           IS DISTINCT FROM (OLD.person_id, OLD.bound_at))
       OR (OLD.ended_at IS NOT NULL AND (NEW.person_id, NEW.ended_at)
           IS DISTINCT FROM (OLD.person_id, OLD.ended_at)) THEN
        RAISE EXCEPTION 'a binding stays until it ends, and ends once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_binding_stays';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Create the table and its trigger."""
    op.create_table(
        "binding",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column(
            "asked_at", INSTANT, server_default=sa.text("statement_timestamp()"), nullable=False
        ),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("bound_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "(person_id IS NULL) = (bound_at IS NULL)", name=op.f("ck_binding_confirmed")
        ),
        sa.CheckConstraint(
            "code_hash IS NULL OR person_id IS NULL", name=op.f("ck_binding_code_spent")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_binding_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_binding_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_binding")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_binding_code_hash")),
        sa.UniqueConstraint("id", "account_id", name=op.f("uq_binding_id_account_id")),
        schema="accounts",
    )
    for column in ("account_id", "person_id"):
        op.create_index(f"ix_binding_{column}", "binding", [column], schema="accounts")
    op.create_index(
        "uq_binding_live",
        "binding",
        ["account_id"],
        unique=True,
        schema="accounts",
        postgresql_where=sa.text("bound_at IS NOT NULL AND ended_at IS NULL"),
    )
    op.execute(HOLD)
    op.execute(
        "CREATE TRIGGER hold_bindings BEFORE UPDATE OR DELETE ON accounts.binding "
        "FOR EACH ROW EXECUTE FUNCTION accounts.hold_bindings()"
    )


def downgrade() -> None:
    """Drop both."""
    op.drop_table("binding", schema="accounts")
    op.execute("DROP FUNCTION accounts.hold_bindings()")
