"""Create the toys."""

import sqlalchemy as sa
from alembic import op

revision = "toys_0001"
down_revision = None
branch_labels = ("toys",)
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "toy",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_toy")),
        schema="toys",
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("toy", schema="toys")
