"""Create the tables of the accounts room."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_0001"
down_revision = None
branch_labels = ("accounts",)
depends_on = ()


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "otp_day",
        sa.Column("allowance", sa.LargeBinary(), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("sent", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("allowance", "day_on", name=op.f("pk_otp_day")),
        schema="accounts",
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("document_type", sa.String(length=32), nullable=False),
        sa.Column("document_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("document_index", sa.LargeBinary(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("person_key", sa.LargeBinary(), nullable=True),
        sa.Column("level", sa.SmallInteger(), server_default=sa.text("2"), nullable=False),
        sa.Column("verified_by", sa.String(length=32), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("level BETWEEN 1 AND 3", name=op.f("ck_person_level")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("document_index", name=op.f("uq_person_document_index")),
        sa.UniqueConstraint("person_key", name=op.f("uq_person_person_key")),
        schema="accounts",
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'active'"), nullable=False
        ),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("username", sa.String(length=64), nullable=True),
        sa.Column("display_name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(length=2), server_default=sa.text("'zh'"), nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("kind IN ('citizen','staff','admin')", name=op.f("ck_account_kind")),
        sa.CheckConstraint(
            "status IN ('active','suspended','closed')", name=op.f("ck_account_status")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_account_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
        schema="accounts",
    )
    op.create_index("ix_account_phone", "account", ["phone_index"], unique=False, schema="accounts")
    op.create_index(
        "uq_account_person",
        "account",
        ["person_id"],
        unique=True,
        schema="accounts",
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_table(
        "consent",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column(
            "granted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_consent_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "purpose", "version", name=op.f("pk_consent")),
        schema="accounts",
    )
    op.create_table(
        "device",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_device_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        schema="accounts",
    )
    op.create_index("ix_device_account", "device", ["account_id"], unique=False, schema="accounts")
    op.create_table(
        "otp_challenge",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column("allowance", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["accounts.device.id"], name=op.f("fk_otp_challenge_device_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_otp_challenge")),
        schema="accounts",
    )
    op.create_index(
        "ix_otp_challenge_phone",
        "otp_challenge",
        ["phone_index", "created_at"],
        unique=False,
        schema="accounts",
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("amr", sa.String(length=32), nullable=False),
        sa.Column("refresh_number", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "rotated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_because", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_sign_in_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["device_id"], ["accounts.device.id"], name=op.f("fk_sign_in_device_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        schema="accounts",
    )
    op.create_index(
        "ix_sign_in_account", "sign_in", ["account_id"], unique=False, schema="accounts"
    )
    op.create_index("ix_sign_in_device", "sign_in", ["device_id"], unique=False, schema="accounts")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("sign_in", schema="accounts")
    op.drop_table("otp_challenge", schema="accounts")
    op.drop_table("device", schema="accounts")
    op.drop_table("consent", schema="accounts")
    op.drop_table("account", schema="accounts")
    op.drop_table("person", schema="accounts")
    op.drop_table("otp_day", schema="accounts")
