"""Consent receipts, and made-up persons whose reading sets off an alarm."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_0005"
down_revision = "accounts_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; every consent given so far gets its receipt."""
    op.create_table(
        "consent_receipt",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("text_digest", sa.LargeBinary(), nullable=True),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_consent_receipt_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_receipt")),
        schema="accounts",
    )
    op.create_index(
        "ix_consent_receipt_account", "consent_receipt", ["account_id", "id"], schema="accounts"
    )
    op.execute(
        """
        INSERT INTO accounts.consent_receipt
               (account_id, purpose, version, granted, method, at, withdrawn_at)
        SELECT account_id, purpose, version, true, 'before_receipts', granted_at, withdrawn_at
          FROM accounts.consent
        """
    )
    op.create_table(
        "honey_person",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_honey_person_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_honey_person")),
        schema="accounts",
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("honey_person", schema="accounts")
    op.drop_table("consent_receipt", schema="accounts")
