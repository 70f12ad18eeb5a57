"""Create the tables of the organisations room."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "organisations_0001"
down_revision = None
branch_labels = ("organisations",)
depends_on = ("accounts_0001",)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column(
            "register", sa.String(length=32), server_default=sa.text("'city'"), nullable=False
        ),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=True),
        sa.Column("area_code", sa.String(length=12), nullable=True),
        sa.Column("county", sa.String(length=32), nullable=False),
        sa.Column("town", sa.String(length=32), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("datum", sa.String(length=8), nullable=True),
        sa.Column("tokens", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'active'"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind IN ('pharmacy','hospital','venue','authority')", name=op.f("ck_organisation_kind")
        ),
        sa.CheckConstraint(
            "status IN ('active','paused','closed')", name=op.f("ck_organisation_status")
        ),
        sa.CheckConstraint(
            "(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_organisation_whole_position")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("register", "code", name=op.f("uq_organisation_register_code")),
        schema="organisations",
    )
    op.create_index(
        "ix_organisation_position",
        "organisation",
        ["latitude", "longitude"],
        unique=False,
        schema="organisations",
    )
    op.create_index(
        "ix_organisation_tokens",
        "organisation",
        ["tokens"],
        unique=False,
        schema="organisations",
        postgresql_using="gin",
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(role IN ('admin','auditor')) = (organisation_id IS NULL)",
            name=op.f("ck_membership_role_scope"),
        ),
        sa.CheckConstraint(
            "role IN ('staff','manager','admin','auditor')", name=op.f("ck_membership_role")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_membership_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_membership_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        schema="organisations",
    )
    op.create_index(
        "ix_membership_organisation",
        "membership",
        ["organisation_id"],
        unique=False,
        schema="organisations",
    )
    op.create_index(
        "uq_membership_live",
        "membership",
        [
            "account_id",
            sa.literal_column("coalesce(organisation_id, '00000000-0000-0000-0000-000000000000')"),
            "role",
        ],
        unique=True,
        schema="organisations",
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("membership", schema="organisations")
    op.drop_table("organisation", schema="organisations")
