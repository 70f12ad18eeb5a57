"""Create the tables of events, standings and rule versions."""

revision = "health_code_0001"
down_revision = None
branch_labels = ("health_code",)
depends_on = ("accounts_0001", "organisations_0001")


def upgrade() -> None:
    """Create the tables."""


def downgrade() -> None:
    """Drop the tables."""
