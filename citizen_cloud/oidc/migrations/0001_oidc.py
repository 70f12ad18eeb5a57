"""Create the tables of the oidc room."""

revision = "oidc_0001"
down_revision = None
branch_labels = ("oidc",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""


def downgrade() -> None:
    """Drop the tables."""
