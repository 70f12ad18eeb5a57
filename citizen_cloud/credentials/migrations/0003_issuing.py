"""Keys of phones, revoked keys of codes, and the snapshots that verifiers work from."""

import sqlalchemy as sa
from alembic import op

revision = "credentials_0003"
down_revision = "credentials_0002"
branch_labels = None
depends_on = ("accounts_0001",)

SCHEMA = "credentials"
MOMENT = sa.DateTime(timezone=True)
NOW = sa.text("statement_timestamp()")
NEW_ID = sa.text("uuidv7()")


def upgrade() -> None:
    """Create the tables and add the columns."""
    _device_tables()
    _trust_tables()
    op.add_column("credential", sa.Column("name_sealed", sa.LargeBinary()), schema=SCHEMA)
    op.add_column("credential", sa.Column("device_key_id", sa.Uuid()), schema=SCHEMA)
    for name, columns, where in (
        (
            "ix_credential_device_key",
            ["device_key_id"],
            "device_key_id IS NOT NULL AND revoked_at IS NULL",
        ),
        (
            "ix_credential_void",
            ["expires_at"],
            "revoked_at IS NOT NULL OR suspended_at IS NOT NULL",
        ),
        ("ix_credential_short", ["expires_at"], "type IN ('hc', 'ht')"),
        ("ix_credential_kid", ["kid", "jti"], "revoked_at IS NULL"),
    ):
        op.create_index(name, "credential", columns, schema=SCHEMA, postgresql_where=sa.text(where))


def _device_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("id", sa.Uuid(), server_default=NEW_ID, nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", MOMENT, server_default=NOW, nullable=False),
    )


def _device_keys(table: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f(f"fk_{table}_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["device_id"],
            ["accounts.device.id"],
            name=op.f(f"fk_{table}_device_id"),
            ondelete="CASCADE",
        ),
    )


def _device_tables() -> None:
    op.create_table(
        "device_key",
        *_device_columns(),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("ended_reason", sa.String(length=16)),
        sa.CheckConstraint("length(public_key) = 33", name="compressed"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_reason IS NULL)", name="ended"),
        sa.CheckConstraint("ended_reason IN ('removed', 'lost', 'replaced')", name="ended_reason"),
        *_device_keys("device_key"),
        schema=SCHEMA,
    )
    op.create_index(
        "uq_device_key_live",
        "device_key",
        ["device_id"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "uq_device_key_public_key", "device_key", ["public_key"], unique=True, schema=SCHEMA
    )
    op.create_index("ix_device_key_account", "device_key", ["account_id"], schema=SCHEMA)
    op.create_table(
        "device_challenge",
        *_device_columns(),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("length(challenge) = 32", name="length"),
        *_device_keys("device_challenge"),
        schema=SCHEMA,
    )
    for column in ("device_id", "account_id"):
        name = f"ix_device_challenge_{column.removesuffix('_id')}"
        op.create_index(name, "device_challenge", [column], schema=SCHEMA)


def _trust_tables() -> None:
    op.create_table(
        "key_revocation",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("at", MOMENT, server_default=NOW, nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.CheckConstraint("reason IN ('compromised', 'lost', 'superseded')", name="reason"),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_key_revocation")),
        schema=SCHEMA,
    )
    op.create_table(
        "snapshot",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_snapshot")),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop both."""
    for index in (
        "ix_credential_kid",
        "ix_credential_short",
        "ix_credential_void",
        "ix_credential_device_key",
    ):
        op.drop_index(index, "credential", schema=SCHEMA)
    for column in ("device_key_id", "name_sealed"):
        op.drop_column("credential", column, schema=SCHEMA)
    for table in ("snapshot", "key_revocation", "device_challenge", "device_key"):
        op.drop_table(table, schema=SCHEMA)
