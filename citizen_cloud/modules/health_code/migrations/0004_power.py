"""Create the tables of sources, batches, appeals and colours by hand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "health_code_0004"
down_revision = "health_code_0003"
branch_labels = None
depends_on = None

ID = sa.text("uuidv7()")
NOW = sa.text("statement_timestamp()")
AT = sa.DateTime(timezone=True)
SCHEMA = "health_code"


def upgrade() -> None:
    """Create the tables."""
    _sources()
    _batches()
    _appeals()
    _assignments()


def _sources() -> None:
    op.create_table(
        "source",
        sa.Column("id", sa.Uuid(), server_default=ID, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("algorithm", sa.String(length=8), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.String(length=16)), nullable=False),
        sa.Column("cap_per_hour", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.String(length=12), nullable=True),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'active'"), nullable=False
        ),
        sa.Column("registered_in", sa.Uuid(), nullable=False),
        sa.Column("retired_in", sa.Uuid(), nullable=True),
        sa.Column("created_at", AT, server_default=NOW, nullable=False),
        sa.Column("retired_at", AT, nullable=True),
        sa.CheckConstraint("algorithm IN ('Ed25519','ES256')", name=op.f("ck_source_algorithm")),
        sa.CheckConstraint("status IN ('active','retired')", name=op.f("ck_source_status")),
        sa.CheckConstraint("cap_per_hour > 0", name=op.f("ck_source_cap")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_source_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["organisations.organisation.id"], name=op.f("fk_source_unit_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_source_account",
        "source",
        ["account_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index("uq_source_public_key", "source", ["public_key"], unique=True, schema=SCHEMA)


def _batches() -> None:
    op.create_table(
        "batch",
        sa.Column("id", sa.Uuid(), server_default=ID, nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("rows_in", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("rows_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", AT, server_default=NOW, nullable=False),
        sa.Column("decided_at", AT, nullable=True),
        sa.CheckConstraint(
            "status IN ('applied','waiting','released','refused')", name=op.f("ck_batch_status")
        ),
        sa.CheckConstraint(
            "(status = 'waiting') = (rows_sealed IS NOT NULL)", name=op.f("ck_batch_rows")
        ),
        sa.CheckConstraint(
            "status <> 'released' OR proposal_id IS NOT NULL", name=op.f("ck_batch_approval")
        ),
        sa.CheckConstraint("rows_in = accepted + rejected", name=op.f("ck_batch_every_row")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["health_code.source.id"], name=op.f("fk_batch_source_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_batch_reference", "batch", ["source_id", "reference"], unique=True, schema=SCHEMA
    )
    op.create_index("ix_batch_hour", "batch", ["source_id", "received_at"], schema=SCHEMA)
    op.create_index("ix_batch_proposal", "batch", ["proposal_id"], schema=SCHEMA)


def _appeals() -> None:
    op.create_table(
        "appeal",
        sa.Column("id", sa.Uuid(), server_default=ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("colour", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(length=16), server_default=sa.text("'open'"), nullable=False),
        sa.Column("due_at", AT, nullable=False),
        sa.Column("overdue_at", AT, nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", AT, nullable=True),
        sa.Column("answer", sa.String(length=32), nullable=True),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", AT, server_default=NOW, nullable=False),
        sa.CheckConstraint("kind IN ('appeal','correction')", name=op.f("ck_appeal_kind")),
        sa.CheckConstraint(
            "status IN ('open','proposed','granted','refused','by_rule')",
            name=op.f("ck_appeal_status"),
        ),
        sa.CheckConstraint(
            "(status IN ('open','proposed')) = (decided_at IS NULL)",
            name=op.f("ck_appeal_decided_once"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_appeal_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_appeal_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["organisations.organisation.id"], name=op.f("fk_appeal_unit_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["accounts.account.id"], name=op.f("fk_appeal_decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
        schema=SCHEMA,
    )
    undecided = sa.text("decided_at IS NULL")
    op.create_index(
        "uq_appeal_open",
        "appeal",
        ["person_id", "kind"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=undecided,
    )
    op.create_index(
        "ix_appeal_due", "appeal", ["due_at"], schema=SCHEMA, postgresql_where=undecided
    )
    op.create_index("ix_appeal_proposal", "appeal", ["proposal_id"], schema=SCHEMA)


def _assignments() -> None:
    op.create_table(
        "assignment",
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(length=32), nullable=False),
        sa.Column("colour", sa.String(length=8), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("applied_at", AT, server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["organisations.organisation.id"], name=op.f("fk_assignment_unit_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_assignment")),
        schema=SCHEMA,
    )
    op.create_index("ix_assignment_rate", "assignment", ["area", "applied_at"], schema=SCHEMA)


def downgrade() -> None:
    """Drop the tables."""
    for name in ("assignment", "appeal", "batch", "source"):
        op.drop_table(name, schema=SCHEMA)
