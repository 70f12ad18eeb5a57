"""Number the standings: what a thin code is sealed with instead of a record."""

import sqlalchemy as sa
from alembic import op

revision = "health_code_0006"
down_revision = "health_code_0005"
branch_labels = None
depends_on = ()

SCHEMA = "health_code"


def upgrade() -> None:
    """Add the number and its index."""
    op.add_column(
        "standing",
        sa.Column("handle", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        schema=SCHEMA,
    )
    op.create_index("uq_standing_handle", "standing", ["handle"], unique=True, schema=SCHEMA)


def downgrade() -> None:
    """Drop both."""
    op.drop_column("standing", "handle", schema=SCHEMA)
