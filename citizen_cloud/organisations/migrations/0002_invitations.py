"""Invitations; and roles that keep apart who serves, who looks after the platform, who audits."""

import sqlalchemy as sa
from alembic import op

revision = "organisations_0002"
down_revision = "organisations_0001"
branch_labels = None
depends_on = ("accounts_0004",)

# The account's row is locked, so that two grants at once see each other.
SEPARATION = """
CREATE FUNCTION organisations.keep_auditors_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM accounts.account WHERE id = NEW.account_id FOR NO KEY UPDATE;
    IF EXISTS (SELECT 1 FROM organisations.membership m
                WHERE m.account_id = NEW.account_id AND m.ended_at IS NULL AND m.id <> NEW.id
                  AND (m.role = 'auditor') <> (NEW.role = 'auditor')) THEN
        RAISE EXCEPTION 'an auditor holds no other role'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_membership_auditor_apart';
    END IF;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER keep_auditors_apart BEFORE INSERT OR UPDATE OF account_id, role, ended_at
    ON organisations.membership FOR EACH ROW WHEN (NEW.ended_at IS NULL)
    EXECUTE FUNCTION organisations.keep_auditors_apart()
"""


def upgrade() -> None:
    """Create the table and the constraints."""
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("display_name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("note_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('staff','manager')", name=op.f("ck_invitation_role")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_invitation_organisation_id"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [name], ["accounts.account.id"], name=op.f(f"fk_invitation_{name}")
            )
            for name in ("invited_by", "account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invitation_code_hash")),
        schema="organisations",
    )
    for name, columns in (
        ("ix_invitation_organisation", ["organisation_id", "id"]),
        ("ix_invitation_account", ["account_id"]),
        ("ix_invitation_invited_by", ["invited_by"]),
    ):
        op.create_index(name, "invitation", columns, schema="organisations")
    _separate()


def _separate() -> None:
    kind = (
        "CASE WHEN ended_at IS NULL THEN CASE role WHEN 'admin' THEN 'admin' ELSE 'staff' END END"
    )
    op.add_column(
        "membership",
        sa.Column(
            "account_kind", sa.String(length=16), sa.Computed(kind, persisted=True), nullable=True
        ),
        schema="organisations",
    )
    op.create_foreign_key(
        op.f("fk_membership_account_kind"),
        "membership",
        "account",
        ["account_id", "account_kind"],
        ["id", "kind"],
        source_schema="organisations",
        referent_schema="accounts",
    )
    op.execute(SEPARATION)
    op.execute(TRIGGER)


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TRIGGER keep_auditors_apart ON organisations.membership")
    op.execute("DROP FUNCTION organisations.keep_auditors_apart()")
    op.drop_constraint(op.f("fk_membership_account_kind"), "membership", schema="organisations")
    op.drop_column("membership", "account_kind", schema="organisations")
    op.drop_table("invitation", schema="organisations")
