"""Create the tables of the jobs room."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "jobs_0001"
down_revision = None
branch_labels = ("jobs",)
depends_on = ()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="jobs",
    )
    op.create_index(
        "ix_outbox_done",
        "outbox",
        ["done_at"],
        unique=False,
        schema="jobs",
        postgresql_where=sa.text("done_at IS NOT NULL"),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at"],
        unique=False,
        schema="jobs",
        postgresql_where=sa.text("done_at IS NULL"),
    )
    # -- by hand: up
    # The queue's own tables, as its package ships them, in a schema of their own.
    op.execute("SET LOCAL search_path TO procrastinate")
    op.get_bind().connection.cursor().execute(SchemaManager.get_schema())
    op.execute("RESET search_path")
    # -- end


def downgrade() -> None:
    """Drop the tables."""
    # -- by hand: down
    op.execute("DROP SCHEMA procrastinate CASCADE")
    op.execute("CREATE SCHEMA procrastinate")
    # -- end
    op.drop_table("outbox", schema="jobs")
