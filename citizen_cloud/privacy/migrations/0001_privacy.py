"""Create the tables of the privacy room."""

import sqlalchemy as sa
from alembic import op

revision = "privacy_0001"
down_revision = None
branch_labels = ("privacy",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""
    _create_export()
    _create_closure()


def _create_export() -> None:
    op.create_table(
        "export",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'waiting'"), nullable=False
        ),
        sa.Column("bundle_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('waiting','ready')", name=op.f("ck_export_status")),
        sa.CheckConstraint(
            "(status = 'ready') = (bundle_sealed IS NOT NULL)", name=op.f("ck_export_ready")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_export_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_export_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
        schema="privacy",
    )
    op.create_index("ix_export_account", "export", ["account_id", "id"], schema="privacy")
    op.create_index(
        "uq_export_waiting",
        "export",
        ["account_id"],
        unique=True,
        schema="privacy",
        postgresql_where=sa.text("status = 'waiting'"),
    )


def _create_closure() -> None:
    op.create_table(
        "closure",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'cooling'"), nullable=False
        ),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('cooling','closing','closed','undone')", name=op.f("ck_closure_status")
        ),
        sa.CheckConstraint(
            "(status = 'closed') = (certificate IS NOT NULL)", name=op.f("ck_closure_certified")
        ),
        sa.CheckConstraint(
            "(status = 'closed') = (account_id IS NULL)", name=op.f("ck_closure_nameless")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_closure_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_closure_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
        schema="privacy",
    )
    op.create_index(
        "uq_closure_open",
        "closure",
        ["account_id"],
        unique=True,
        schema="privacy",
        postgresql_where=sa.text("status IN ('cooling','closing')"),
    )
    op.create_index(
        "ix_closure_due",
        "closure",
        ["due_at"],
        schema="privacy",
        postgresql_where=sa.text("status IN ('cooling','closing')"),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("closure", schema="privacy")
    op.drop_table("export", schema="privacy")
