"""Tell which of two checks of one showing was the first, and keep what was found."""

import sqlalchemy as sa
from alembic import op

revision = "health_code_0007"
down_revision = "health_code_0006"
branch_labels = None
depends_on = ()

PASSED = "type IN ('hc','ht') AND outcome = 'valid' AND finding IS NULL"


def upgrade() -> None:
    """Add the columns; of older checks only a phone's showings are known by their type."""
    op.drop_index("uq_scan_showing", table_name="scan", schema="health_code")
    for column in (
        sa.Column("type", sa.String(length=2), nullable=True),
        sa.Column(
            "scanned_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("finding", sa.String(length=8), nullable=True),
        sa.Column("finding_id", sa.Uuid(), nullable=True),
    ):
        op.add_column("scan", column, schema="health_code")
    op.execute(
        "UPDATE health_code.scan SET type = CASE WHEN is_proven THEN 'hc' END, "
        "scanned_at = least(device_at, decided_at)"
    )
    op.drop_column("scan", "is_proven", schema="health_code")
    for name, condition in (
        ("type", "type IN ('hc','ht','hp')"),
        ("finding", "finding IN ('replayed','cloned')"),
        ("finding_id", "(finding IS NULL) = (finding_id IS NULL)"),
    ):
        op.create_check_constraint(op.f(f"ck_scan_{name}"), "scan", condition, schema="health_code")
    op.create_index(
        "uq_scan_showing",
        "scan",
        ["showing_hash"],
        unique=True,
        schema="health_code",
        postgresql_where=sa.text(PASSED),
    )
    op.create_index("uq_scan_finding_id", "scan", ["finding_id"], unique=True, schema="health_code")


def downgrade() -> None:
    """Drop the columns, and the findings with them."""
    op.drop_index("uq_scan_showing", table_name="scan", schema="health_code")
    op.add_column(
        "scan",
        sa.Column("is_proven", sa.Boolean(), server_default=sa.false(), nullable=False),
        schema="health_code",
    )
    # Two of one showing had to be told apart by what is dropped here.
    op.execute(
        "UPDATE health_code.scan SET is_proven = coalesce(type = 'hc', false) WHERE finding IS NULL"
    )
    op.alter_column("scan", "is_proven", server_default=None, schema="health_code")
    for name in ("type", "scanned_at", "finding", "finding_id"):
        op.drop_column("scan", name, schema="health_code")
    op.create_index(
        "uq_scan_showing",
        "scan",
        ["showing_hash"],
        unique=True,
        schema="health_code",
        postgresql_where=sa.text("is_proven AND outcome = 'valid'"),
    )
