"""Create the tables of the families room."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "families_0001"
down_revision = None
branch_labels = ("families",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "link",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("acting_id", sa.Uuid(), nullable=False),
        sa.Column("acting_key", sa.LargeBinary(), nullable=False),
        sa.Column("represented_id", sa.Uuid(), nullable=True),
        sa.Column("represented_key", sa.LargeBinary(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("relation", sa.String(length=16), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.String(length=32)), nullable=False),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'pending'"), nullable=False
        ),
        sa.Column("is_credible", sa.Boolean(), nullable=False),
        sa.Column("agreed_by", sa.String(length=16), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("attested_by", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("end_evidence_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "relation IN ('child','elder','disabled','adult')", name=op.f("ck_link_relation")
        ),
        sa.CheckConstraint(
            "status IN ('pending','active','refused','revoked','expired')",
            name=op.f("ck_link_status"),
        ),
        sa.CheckConstraint(
            "agreed_by IS NULL OR agreed_by IN ('own_account','guardian','counter')",
            name=op.f("ck_link_agreed_by"),
        ),
        sa.CheckConstraint(
            "status <> 'active' OR represented_id IS NOT NULL", name=op.f("ck_link_known")
        ),
        sa.CheckConstraint("acting_key <> represented_key", name=op.f("ck_link_two_people")),
        sa.CheckConstraint(
            "agreed_by IS DISTINCT FROM 'counter' OR (attested_by IS NOT NULL "
            "AND decided_by IS NOT NULL AND attested_by <> decided_by)",
            name=op.f("ck_link_second_clerk"),
        ),
        sa.ForeignKeyConstraint(
            ["acting_id"], ["accounts.person.id"], name=op.f("fk_link_acting_id")
        ),
        sa.ForeignKeyConstraint(
            ["represented_id"], ["accounts.person.id"], name=op.f("fk_link_represented_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_link_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link")),
        schema="families",
    )
    op.create_index(
        "uq_link_live",
        "link",
        ["acting_id", "represented_key"],
        unique=True,
        schema="families",
        postgresql_where=sa.text("status IN ('pending','active')"),
    )
    op.create_index(
        "uq_link_pair",
        "link",
        [
            sa.literal_column("least(acting_key, represented_key)"),
            sa.literal_column("greatest(acting_key, represented_key)"),
        ],
        unique=True,
        schema="families",
        postgresql_where=sa.text("status IN ('pending','active') AND is_credible"),
    )
    for name, columns in (
        ("ix_link_acting", ["acting_id", "id"]),
        ("ix_link_represented", ["represented_key", "id"]),
        ("ix_link_represented_id", ["represented_id"]),
    ):
        op.create_index(name, "link", columns, unique=False, schema="families")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("link", schema="families")
