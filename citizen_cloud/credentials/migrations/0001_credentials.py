"""Create the tables of the credentials room."""

import sqlalchemy as sa
from alembic import op

revision = "credentials_0001"
down_revision = None
branch_labels = ("credentials",)
depends_on = ()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "credential",
        sa.Column("jti", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kid", sa.String(length=32), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_credential")),
        schema="credentials",
    )
    op.create_index(
        "uq_credential_live",
        "credential",
        ["type", "subject_id"],
        unique=True,
        schema="credentials",
        postgresql_where=sa.text("revoked_at IS NULL"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("credential", schema="credentials")
