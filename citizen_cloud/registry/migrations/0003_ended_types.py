"""Keep which types of codes ended with their service, and when they began again."""

import sqlalchemy as sa
from alembic import op

revision = "registry_0003"
down_revision = "registry_0002"
branch_labels = None
depends_on = ()

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "ended_type",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("module", sa.String(length=32), nullable=False),
        sa.Column(
            "ended_at", MOMENT, server_default=sa.text("statement_timestamp()"), nullable=False
        ),
        sa.Column("begun_at", MOMENT, nullable=True),
        sa.CheckConstraint("begun_at > ended_at", name=op.f("ck_ended_type_begun")),
        sa.ForeignKeyConstraint(
            ["module"], ["registry.module.name"], name=op.f("fk_ended_type_module_module")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ended_type")),
        schema="registry",
    )
    op.create_index(
        "uq_ended_type_open",
        "ended_type",
        ["type"],
        unique=True,
        schema="registry",
        postgresql_where=sa.text("begun_at IS NULL"),
    )
    # -- by hand: up
    # What has ended stays ended: a row more says otherwise, none less.
    op.execute("REVOKE DELETE ON registry.ended_type FROM citizen_cloud_app")
    # -- end


def downgrade() -> None:
    """Drop it."""
    op.drop_table("ended_type", schema="registry")
