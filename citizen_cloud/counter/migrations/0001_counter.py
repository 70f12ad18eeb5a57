"""Create the tables of the counter room."""

import sqlalchemy as sa
from alembic import op

revision = "counter_0001"
down_revision = None
branch_labels = ("counter",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "case",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("asked_by", sa.String(length=16), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.String(length=16), server_default=sa.text("'open'"), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        *_checks(),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_case_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_case_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["accounts.account.id"], name=op.f("fk_case_opened_by")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["accounts.account.id"], name=op.f("fk_case_decided_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case")),
        schema="counter",
    )
    op.create_index("ix_case_organisation", "case", ["organisation_id", "id"], schema="counter")
    op.create_index("ix_case_person", "case", ["person_id"], schema="counter")
    op.create_index(
        "ix_case_due",
        "case",
        ["expires_at"],
        schema="counter",
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "uq_case_open",
        "case",
        ["kind", "person_id"],
        unique=True,
        schema="counter",
        postgresql_where=sa.text("status = 'open' AND kind <> 'enrolment'"),
    )


def _checks() -> list[sa.CheckConstraint]:
    decided = "status NOT IN ('approved','refused')"
    conditions = {
        "kind": "kind IN ('recovery','name_correction','enrolment')",
        "asked_by": "asked_by IN ('staff','citizen')",
        "status": "status IN ('open','approved','refused','cancelled','expired')",
        "ended": "(status = 'open') = (decided_at IS NULL)",
        "second_person": f"{decided} OR (decided_by IS NOT NULL AND decided_by <> opened_by)",
        "counter": f"{decided} OR organisation_id IS NOT NULL",
        "life": "expires_at <= opened_at + CASE asked_by WHEN 'staff' "
        "THEN interval '24 hours' ELSE interval '7 days' END",
    }
    return [
        sa.CheckConstraint(condition, name=op.f(f"ck_case_{name}"))
        for name, condition in conditions.items()
    ]


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("case", schema="counter")
