"""Say whose a stored answer is, so that it can be shown to them and erased with them."""

import sqlalchemy as sa
from alembic import op

revision = "web_0002"
down_revision = "web_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; answers of the day before are nobody's and go within it."""
    op.add_column(
        "idempotent_answer", sa.Column("account_id", sa.Uuid(), nullable=True), schema="web"
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_column("idempotent_answer", "account_id", schema="web")
