"""Find the text that is over first without sorting all that wait."""

import sqlalchemy as sa
from alembic import op

revision = "messages_0002"
down_revision = "messages_0001"
branch_labels = None
depends_on = ()


def upgrade() -> None:
    """Order what is pending by its end."""
    op.create_index(
        "ix_delivery_first",
        "delivery",
        ["expires_at", "due_at"],
        unique=False,
        schema="messages",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index("ix_delivery_due", table_name="delivery", schema="messages")


def downgrade() -> None:
    """Order it by the next attempt again."""
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["due_at"],
        unique=False,
        schema="messages",
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.drop_index("ix_delivery_first", table_name="delivery", schema="messages")
