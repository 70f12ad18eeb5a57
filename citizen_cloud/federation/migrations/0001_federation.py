"""Create the tables of the federation room."""

revision = "federation_0001"
down_revision = None
branch_labels = ("federation",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""


def downgrade() -> None:
    """Drop the tables."""
