"""Create the tables of the web room."""

import sqlalchemy as sa
from alembic import op

revision = "web_0001"
down_revision = None
branch_labels = ("web",)
depends_on = ()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "idempotent_answer",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("location", sa.String(length=500), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_idempotent_answer")),
        schema="web",
    )
    op.create_index(
        "ix_idempotent_answer_created_at",
        "idempotent_answer",
        ["created_at"],
        unique=False,
        schema="web",
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("idempotent_answer", schema="web")
