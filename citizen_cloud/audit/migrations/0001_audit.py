"""Create the tables of the audit room."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "audit_0001"
down_revision = None
branch_labels = ("audit",)
depends_on = ()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "entry",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column(
            "xid",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text::bigint)"),
            nullable=False,
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_type", sa.String(length=32), nullable=False),
        sa.Column("object_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        schema="audit",
    )
    op.create_index(
        "ix_entry_object", "entry", ["object_type", "object_id"], unique=False, schema="audit"
    )
    op.create_index("ix_entry_xid", "entry", ["xid"], unique=False, schema="audit")
    op.create_table(
        "seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "sealed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_seal_entry_id")),
        schema="audit",
    )
    op.create_table(
        "watermark",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed_below", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_watermark")),
        schema="audit",
    )
    # -- by hand: up
    op.execute("INSERT INTO audit.watermark (id, sealed_below) VALUES (1, 0)")
    # Append-only for the application: a compromised worker cannot rewrite what it did.
    op.execute("REVOKE UPDATE, DELETE ON audit.entry, audit.seal FROM citizen_cloud_app")
    op.execute("REVOKE INSERT, DELETE ON audit.watermark FROM citizen_cloud_app")
    # -- end


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("watermark", schema="audit")
    op.drop_table("seal", schema="audit")
    op.drop_table("entry", schema="audit")
