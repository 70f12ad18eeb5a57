"""Codes that people hold: what they say, the key that shows them, and their suspension."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "credentials_0002"
down_revision = "credentials_0001"
branch_labels = None
depends_on = ()


def upgrade() -> None:
    """Add the columns."""
    op.add_column("credential", sa.Column("holder_id", sa.Uuid()), schema="credentials")
    op.add_column(
        "credential",
        sa.Column(
            "claims",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        schema="credentials",
    )
    op.add_column("credential", sa.Column("show_key", sa.LargeBinary()), schema="credentials")
    op.add_column(
        "credential", sa.Column("suspended_at", sa.DateTime(timezone=True)), schema="credentials"
    )
    op.create_index(
        "ix_credential_holder",
        "credential",
        ["holder_id", "type"],
        schema="credentials",
        postgresql_where=sa.text("holder_id IS NOT NULL AND revoked_at IS NULL"),
    )
    op.create_index(
        "uq_credential_show_key", "credential", ["show_key"], unique=True, schema="credentials"
    )


def downgrade() -> None:
    """Drop the columns."""
    op.drop_index("uq_credential_show_key", "credential", schema="credentials")
    op.drop_index("ix_credential_holder", "credential", schema="credentials")
    for column in ("suspended_at", "show_key", "claims", "holder_id"):
        op.drop_column("credential", column, schema="credentials")
