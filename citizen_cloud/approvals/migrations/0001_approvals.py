"""Create the tables of the approvals room."""

revision = "approvals_0001"
down_revision = None
branch_labels = ("approvals",)
depends_on = ()


def upgrade() -> None:
    """Create the tables."""


def downgrade() -> None:
    """Drop the tables."""
