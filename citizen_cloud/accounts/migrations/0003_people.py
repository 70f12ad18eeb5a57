"""Seal the names of devices; count strangers per network, and texts, by the hour.

SQL cannot seal: names given so far are dropped, and those devices are unnamed until their owners
name them again.
"""

import sqlalchemy as sa
from alembic import op

revision = "accounts_0003"
down_revision = "accounts_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Exchange the column, add the tables."""
    op.drop_column("device", "name", schema="accounts")
    op.add_column(
        "device", sa.Column("name_sealed", sa.LargeBinary(), nullable=True), schema="accounts"
    )
    op.create_table(
        "network_hour",
        sa.Column("network", sa.LargeBinary(), nullable=False),
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("network", "hour_at", name=op.f("pk_network_hour")),
        schema="accounts",
    )
    op.create_table(
        "sms_hour",
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("sent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("hour_at", "shard", name=op.f("pk_sms_hour")),
        schema="accounts",
    )


def downgrade() -> None:
    """Take them away; names stay lost."""
    op.drop_table("sms_hour", schema="accounts")
    op.drop_table("network_hour", schema="accounts")
    op.drop_column("device", "name_sealed", schema="accounts")
    op.add_column(
        "device",
        sa.Column("name", sa.String(length=64), server_default=sa.text("'-'"), nullable=False),
        schema="accounts",
    )
    op.alter_column("device", "name", server_default=None, schema="accounts")
