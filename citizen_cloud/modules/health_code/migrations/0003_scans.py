"""Create the table of checks."""

import sqlalchemy as sa
from alembic import op

revision = "health_code_0003"
down_revision = "health_code_0002"
branch_labels = None
depends_on = ()


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "scan",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("scan_id", sa.String(length=64), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("showing_hash", sa.LargeBinary(), nullable=True),
        sa.Column("is_proven", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("is_offline", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device_outcome", sa.String(length=24), nullable=True),
        sa.Column("is_conflict", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("is_offline = (device_at IS NOT NULL)", name=op.f("ck_scan_offline")),
        sa.CheckConstraint(
            "is_offline = (device_outcome IS NOT NULL)", name=op.f("ck_scan_device_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_scan_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
        schema="health_code",
    )
    op.create_index(
        "uq_scan_scan_id", "scan", ["account_id", "scan_id"], unique=True, schema="health_code"
    )
    op.create_index(
        "uq_scan_showing",
        "scan",
        ["showing_hash"],
        unique=True,
        schema="health_code",
        postgresql_where=sa.text("is_proven AND outcome = 'valid'"),
    )
    op.create_index("ix_scan_showing", "scan", ["showing_hash"], schema="health_code")
    op.create_index("ix_scan_decided_at", "scan", ["decided_at"], schema="health_code")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("scan", schema="health_code")
