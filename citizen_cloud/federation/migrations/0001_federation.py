"""Create the tables of the federation room."""

import sqlalchemy as sa
from alembic import op

revision = "federation_0001"
down_revision = None
branch_labels = ("federation",)
depends_on = ("organisations_0001",)

LIVE = sa.text("removed_at IS NULL")
NOW = sa.text("statement_timestamp()")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "identity",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(), nullable=True),
        sa.Column("subject_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(removed_at IS NULL) = (subject_index IS NOT NULL)"
            " AND (removed_at IS NULL) = (subject_sealed IS NOT NULL)",
            name=op.f("ck_identity_forgotten_when_removed"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_identity_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity")),
        schema="federation",
    )
    op.create_index("ix_identity_account", "identity", ["account_id"], schema="federation")
    _create_live_index("uq_identity_subject", "provider", "subject_index")
    _create_live_index("uq_identity_account", "account_id", "provider")
    op.create_table(
        "attempt",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("provider", sa.String(length=16), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("person_key", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('start','ticket')", name=op.f("ck_attempt_kind")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_attempt_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_attempt_token_hash")),
        schema="federation",
    )
    op.create_index("ix_attempt_expires_at", "attempt", ["expires_at"], schema="federation")
    op.create_index("ix_attempt_account", "attempt", ["account_id"], schema="federation")


def _create_live_index(name: str, *columns: str) -> None:
    op.create_index(
        name, "identity", list(columns), unique=True, schema="federation", postgresql_where=LIVE
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("attempt", schema="federation")
    op.drop_table("identity", schema="federation")
