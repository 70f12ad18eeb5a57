"""Create the tables of places."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "health_code_0005"
down_revision = "health_code_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "place",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=False),
        sa.Column(
            "max_status_age_s", sa.Integer(), server_default=sa.text("21600"), nullable=False
        ),
        sa.Column("accepts_thin", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("accepts_paper", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("needs_nonce", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("admits_yellow", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("status", sa.String(length=8), server_default=sa.text("'open'"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("status IN ('open','closed')", name=op.f("ck_place_status")),
        sa.CheckConstraint(
            "max_status_age_s BETWEEN 600 AND 86400", name=op.f("ck_place_max_status_age")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_place_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        schema="health_code",
    )
    op.create_index(
        "ix_place_organisation", "place", ["organisation_id", "id"], schema="health_code"
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("place", schema="health_code")
