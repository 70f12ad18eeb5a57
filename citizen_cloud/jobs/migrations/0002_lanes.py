"""Give news a lane: what one person waits for goes before what thousands are told."""

import sqlalchemy as sa
from alembic import op

revision = "jobs_0002"
down_revision = "jobs_0001"
branch_labels = None
depends_on = ()


def upgrade() -> None:
    """Add the lane, and the index by which each lane is read."""
    op.add_column(
        "outbox",
        sa.Column("lane", sa.String(length=8), server_default=sa.text("'prompt'"), nullable=False),
        schema="jobs",
    )
    op.create_check_constraint(
        op.f("ck_outbox_lane"), "outbox", "lane IN ('urgent','prompt','bulk')", schema="jobs"
    )
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["lane", "due_at"],
        unique=False,
        schema="jobs",
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.drop_index("ix_outbox_due", table_name="outbox", schema="jobs")


def downgrade() -> None:
    """Put everybody into one row again."""
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at"],
        unique=False,
        schema="jobs",
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.drop_index("ix_outbox_waiting", table_name="outbox", schema="jobs")
    op.drop_constraint(op.f("ck_outbox_lane"), "outbox", schema="jobs", type_="check")
    op.drop_column("outbox", "lane", schema="jobs")
