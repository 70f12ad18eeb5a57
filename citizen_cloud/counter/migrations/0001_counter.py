"""Create the tables of the counter room."""

revision = "counter_0001"
down_revision = None
branch_labels = ("counter",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""


def downgrade() -> None:
    """Drop the tables."""
