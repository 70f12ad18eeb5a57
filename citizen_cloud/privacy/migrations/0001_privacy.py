"""Create the tables of the privacy room."""

revision = "privacy_0001"
down_revision = None
branch_labels = ("privacy",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""


def downgrade() -> None:
    """Drop the tables."""
