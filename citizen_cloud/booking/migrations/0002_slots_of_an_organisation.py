"""Find the slots of an organisation without reading all of them."""

from alembic import op

revision = "booking_0002"
down_revision = "booking_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_slot_organisation", "slot", ["organisation_id"], schema="booking")


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_slot_organisation", table_name="slot", schema="booking")
