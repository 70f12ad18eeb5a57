"""Say which door a stored answer is of, so that it goes when the service does."""

import sqlalchemy as sa
from alembic import op

revision = "web_0003"
down_revision = "web_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; answers of the day before are of no door and go within it."""
    op.add_column("idempotent_answer", sa.Column("endpoint", sa.String(length=120)), schema="web")


def downgrade() -> None:
    """Take it away."""
    op.drop_column("idempotent_answer", "endpoint", schema="web")
