"""Staff: one-time passwords that end, recovery codes, resets, a second authenticator."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_0004"
down_revision = "accounts_0003"
branch_labels = None
depends_on = None

COLUMNS = (
    ("password_changed_at", sa.DateTime(timezone=True)),
    ("password_until", sa.DateTime(timezone=True)),
    ("next_totp_sealed", sa.LargeBinary()),
    ("next_totp_until", sa.DateTime(timezone=True)),
)
NOW = sa.text("statement_timestamp()")


def upgrade() -> None:
    """Add the columns and the tables."""
    for name, kind in COLUMNS:
        op.add_column("account", sa.Column(name, kind, nullable=True), schema="accounts")
    # A one-time password that nobody used yet gets an end like a new one.
    op.execute(
        "UPDATE accounts.account SET password_until = now() + interval '72 hours' "
        "WHERE kind IN ('staff','admin') AND password_hash IS NOT NULL "
        "AND totp_confirmed_at IS NULL"
    )
    op.create_unique_constraint(
        op.f("uq_account_id_kind"), "account", ["id", "kind"], schema="accounts"
    )
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_recovery_code_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "code_hash", name=op.f("pk_recovery_code")),
        schema="accounts",
    )
    _resets()


def _resets() -> None:
    op.create_table(
        "reset",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("needs_second", sa.Boolean(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("asked_by <> account_id", name=op.f("ck_reset_asked_by_another")),
        sa.CheckConstraint(
            "confirmed_by <> account_id AND confirmed_by <> asked_by",
            name=op.f("ck_reset_confirmed_by_a_third"),
        ),
        sa.CheckConstraint(
            "NOT needs_second OR code_hash IS NULL OR confirmed_by IS NOT NULL",
            name=op.f("ck_reset_second_agreed"),
        ),
        *(
            sa.ForeignKeyConstraint([name], ["accounts.account.id"], name=op.f(f"fk_reset_{name}"))
            for name in ("account_id", "asked_by", "confirmed_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reset")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_reset_code_hash")),
        schema="accounts",
    )
    op.create_index("ix_reset_account", "reset", ["account_id"], schema="accounts")
    op.create_index("ix_reset_asked_by", "reset", ["asked_by"], schema="accounts")


def downgrade() -> None:
    """Take them away."""
    op.drop_table("reset", schema="accounts")
    op.drop_table("recovery_code", schema="accounts")
    op.drop_constraint(op.f("uq_account_id_kind"), "account", schema="accounts")
    for name, _ in reversed(COLUMNS):
        op.drop_column("account", name, schema="accounts")
