"""Look people up after a batch was answered; keep aside what names nobody yet."""

import sqlalchemy as sa
from alembic import op

revision = "health_code_0008"
down_revision = "health_code_0007"
branch_labels = None
depends_on = ()

SCHEMA = "health_code"
CHECKS = ("ck_batch_status", "ck_batch_rows")


def upgrade() -> None:
    """Create the table; let a batch be received before it is applied."""
    op.create_table(
        "unplaced",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("person_key", sa.LargeBinary(), nullable=False),
        sa.Column("fact_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["health_code.batch.id"], name=op.f("fk_unplaced_batch_id_batch")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unplaced")),
        schema=SCHEMA,
    )
    op.create_index("ix_unplaced_person_key", "unplaced", ["person_key"], schema=SCHEMA)
    op.create_index("ix_unplaced_created_at", "unplaced", ["created_at"], schema=SCHEMA)
    op.add_column(
        "batch",
        sa.Column("unplaced", sa.Integer(), server_default=sa.text("0"), nullable=False),
        schema=SCHEMA,
    )
    # Rows that wait name people by another form than before; their source sends them again.
    op.execute(
        "UPDATE health_code.batch SET status = 'refused', rows_sealed = NULL, "
        "decided_at = statement_timestamp() WHERE status = 'waiting'"
    )
    _check("'received','applied','waiting','released','refused'", "'received','waiting'")


def downgrade() -> None:
    """Drop the table, and refuse what was not applied yet."""
    op.execute(
        "UPDATE health_code.batch SET status = 'refused', rows_sealed = NULL, "
        "decided_at = statement_timestamp() WHERE status IN ('received','waiting')"
    )
    _check("'applied','waiting','released','refused'", "'waiting'")
    op.drop_column("batch", "unplaced", schema=SCHEMA)
    op.drop_table("unplaced", schema=SCHEMA)


def _check(states: str, waiting: str) -> None:
    for name in CHECKS:
        op.drop_constraint(op.f(name), "batch", schema=SCHEMA)
    conditions = (
        f"status IN ({states})",
        f"(status IN ({waiting})) = (rows_sealed IS NOT NULL)",
    )
    for name, condition in zip(CHECKS, conditions, strict=True):
        op.create_check_constraint(op.f(name), "batch", condition, schema=SCHEMA)
