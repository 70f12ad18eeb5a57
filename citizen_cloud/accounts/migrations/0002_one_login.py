"""Step-up, service accounts, and who looked at whose data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "accounts_0002"
down_revision = "accounts_0001"
branch_labels = None
depends_on = None

KINDS = ("citizen", "staff", "admin")


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column(
        "sign_in",
        sa.Column(
            "proved_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        schema="accounts",
    )
    _kinds(*KINDS, "service")
    op.create_table(
        "data_access",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("reader_kind", sa.String(length=16), nullable=False),
        sa.Column("reader_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("categories", postgresql.ARRAY(sa.String(length=32)), nullable=False),
        sa.Column("basis_type", sa.String(length=16), nullable=False),
        sa.Column("basis_id", sa.Uuid(), nullable=True),
        sa.Column(
            "outcome", sa.String(length=16), server_default=sa.text("'read'"), nullable=False
        ),
        sa.CheckConstraint(
            "outcome IN ('read','changed','refused')", name=op.f("ck_data_access_outcome")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_access")),
        schema="accounts",
    )
    op.create_index("ix_data_access_person", "data_access", ["person_id", "id"], schema="accounts")
    op.create_index("ix_data_access_reader", "data_access", ["reader_id", "at"], schema="accounts")


def downgrade() -> None:
    """Take them away."""
    op.drop_table("data_access", schema="accounts")
    _kinds(*KINDS)
    op.drop_column("sign_in", "proved_at", schema="accounts")


def _kinds(*kinds: str) -> None:
    op.drop_constraint(op.f("ck_account_kind"), "account", schema="accounts")
    listed = ",".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(
        op.f("ck_account_kind"), "account", f"kind IN ({listed})", schema="accounts"
    )
