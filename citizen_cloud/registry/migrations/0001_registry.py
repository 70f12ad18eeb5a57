"""Create the tables of the registry room."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "registry_0001"
down_revision = None
branch_labels = ("registry",)
depends_on = ()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "module",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), server_default=sa.text("'off'"), nullable=False),
        sa.Column("reason", sa.String(length=500), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "state IN ('draft','active','read_only','draining','off','sunset')",
            name=op.f("ck_module_state"),
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_module")),
        schema="registry",
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("module", schema="registry")
