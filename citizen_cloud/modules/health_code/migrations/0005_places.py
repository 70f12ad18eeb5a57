"""Create the tables of places."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "health_code_0005"
down_revision = "health_code_0004"
branch_labels = None
depends_on = ("approvals_0001",)


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
    _create_visits()


def _create_visits() -> None:
    op.create_table(
        "visit",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("hour_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("visitor_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("own_index", sa.LargeBinary(), nullable=False),
        sa.Column("once_index", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["place_id"], ["health_code.place.id"], name=op.f("fk_visit_place_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        schema="health_code",
    )
    for name, columns, is_unique in (
        ("uq_visit_own_index", ["own_index"], True),
        ("uq_visit_once_index", ["once_index"], True),
        ("ix_visit_place", ["place_id", "hour_at", "id"], False),
        ("ix_visit_hour", ["hour_at"], False),
    ):
        op.create_index(name, "visit", columns, unique=is_unique, schema="health_code")
    op.create_table(
        "visit_opening",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "opened_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reads", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("shown", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("from_at < until_at", name=op.f("ck_visit_opening_period")),
        sa.ForeignKeyConstraint(
            ["id"], ["approvals.proposal.id"], name=op.f("fk_visit_opening_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["health_code.place.id"], name=op.f("fk_visit_opening_place_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_visit_opening_unit_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_opening")),
        schema="health_code",
    )
    op.create_index(
        "ix_visit_opening_unit", "visit_opening", ["unit_id", "id"], schema="health_code"
    )


def downgrade() -> None:
    """Drop the tables."""
    for name in ("visit_opening", "visit", "place"):
        op.drop_table(name, schema="health_code")
