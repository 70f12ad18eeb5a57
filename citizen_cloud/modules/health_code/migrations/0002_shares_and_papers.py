"""Create the tables of shared and of printed codes."""

import sqlalchemy as sa
from alembic import op

revision = "health_code_0002"
down_revision = "health_code_0001"
branch_labels = None
depends_on = ()


def upgrade() -> None:
    """Create the tables."""
    _shares()
    _papers()
    _disabilities()


def _shares() -> None:
    op.create_table(
        "share",
        _id(),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _since("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_share_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.account.id"], name=op.f("fk_share_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_share_token_hash")),
        schema="health_code",
    )
    op.create_index("ix_share_person", "share", ["person_id"], schema="health_code")


def _papers() -> None:
    op.create_table(
        "paper",
        _id(),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("colour", sa.String(length=8), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        _since("issued_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_because", sa.String(length=16), nullable=True),
        sa.CheckConstraint("reason IN ('minor','elder','disabled')", name=op.f("ck_paper_reason")),
        sa.CheckConstraint("colour IN ('green','yellow','red')", name=op.f("ck_paper_colour")),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_because IS NULL) AND "
            "(ended_because IS NULL OR ended_because IN ('replaced','lost','withdrawn'))",
            name=op.f("ck_paper_ended"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_paper_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_paper_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper")),
        schema="health_code",
    )
    op.create_index("ix_paper_person", "paper", ["person_id"], schema="health_code")
    op.create_index(
        "uq_paper_live",
        "paper",
        ["person_id"],
        unique=True,
        schema="health_code",
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _disabilities() -> None:
    op.create_table(
        "disability",
        _id(),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("attested_by", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=False),
        _since("attested_at"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_disability_person_id_person")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_disability_organisation_id_organisation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disability")),
        sa.UniqueConstraint("person_id", name=op.f("uq_disability_person_id")),
        schema="health_code",
    )


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def _since(name: str) -> sa.Column[object]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        server_default=sa.text("statement_timestamp()"),
        nullable=False,
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("disability", "paper", "share"):
        op.drop_table(table, schema="health_code")
