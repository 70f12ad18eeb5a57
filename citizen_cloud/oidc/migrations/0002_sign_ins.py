"""Bind what partners were given to the sign-in that gave it; what was given before is over."""

import sqlalchemy as sa
from alembic import op

revision = "oidc_0002"
down_revision = "oidc_0001"
branch_labels = None
depends_on = ("accounts_0001",)


def upgrade() -> None:
    """Add the sign-in, and when a client was last let in again."""
    op.add_column(
        "client",
        sa.Column("active_since", sa.DateTime(timezone=True), nullable=True),
        schema="oidc",
    )
    op.add_column("issuance", sa.Column("sign_in_id", sa.Uuid(), nullable=True), schema="oidc")
    op.create_foreign_key(
        op.f("fk_issuance_sign_in_id"),
        "issuance",
        "sign_in",
        ["sign_in_id"],
        ["id"],
        source_schema="oidc",
        referent_schema="accounts",
        ondelete="SET NULL",
    )
    op.create_index("ix_issuance_sign_in", "issuance", ["sign_in_id"], schema="oidc")


def downgrade() -> None:
    """Take both away."""
    op.drop_column("client", "active_since", schema="oidc")
    op.drop_index("ix_issuance_sign_in", "issuance", schema="oidc")
    op.drop_constraint(op.f("fk_issuance_sign_in_id"), "issuance", schema="oidc")
    op.drop_column("issuance", "sign_in_id", schema="oidc")
