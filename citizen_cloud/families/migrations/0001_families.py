"""Create the tables of the families room."""

revision = "families_0001"
down_revision = None
branch_labels = ("families",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""


def downgrade() -> None:
    """Drop the tables."""
