"""Create the tables of the masks room."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "masks_0001"
down_revision = None
branch_labels = ("masks",)
depends_on = ("booking_0001",)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("product_class", sa.String(length=16), nullable=False),
        sa.Column("profile", sa.String(length=16), nullable=False),
        sa.Column("eligibility", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "mode", sa.String(length=16), server_default=sa.text("'first_come'"), nullable=False
        ),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("morning_from", sa.Time(), server_default=sa.text("'08:00'"), nullable=False),
        sa.Column("morning_until", sa.Time(), server_default=sa.text("'12:00'"), nullable=False),
        sa.Column("afternoon_from", sa.Time(), server_default=sa.text("'13:00'"), nullable=False),
        sa.Column("afternoon_until", sa.Time(), server_default=sa.text("'18:00'"), nullable=False),
        sa.Column(
            "status", sa.String(length=16), server_default=sa.text("'draft'"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("mode IN ('first_come')", name=op.f("ck_campaign_mode")),
        sa.CheckConstraint(
            "product_class IN ('adult','child')", name=op.f("ck_campaign_product_class")
        ),
        sa.CheckConstraint(
            "status IN ('draft','open','paused','closed')", name=op.f("ck_campaign_status")
        ),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_campaign_booking_period")),
        sa.CheckConstraint("starts_on <= ends_on", name=op.f("ck_campaign_period")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        schema="masks",
    )
    op.create_table(
        "stock_import",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("applied_by", sa.Uuid(), nullable=True),
        sa.Column(
            "applied_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_import")),
        sa.UniqueConstraint(
            "organisation_id",
            "target",
            "content_hash",
            name=op.f("uq_stock_import_organisation_id_target_content_hash"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="masks",
    )
    op.create_table(
        "offer",
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("product_class", sa.String(length=16), nullable=False),
        sa.Column("window_on", sa.Date(), nullable=False),
        sa.Column("half", sa.String(length=2), nullable=False),
        sa.Column("status", sa.String(length=16), server_default=sa.text("'open'"), nullable=False),
        sa.Column(
            "counted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("half IN ('am','pm')", name=op.f("ck_offer_half")),
        sa.CheckConstraint("status IN ('open','paused')", name=op.f("ck_offer_status")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["masks.campaign.id"], name=op.f("fk_offer_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_offer_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["booking.slot.id"], name=op.f("fk_offer_slot_id")),
        sa.PrimaryKeyConstraint("slot_id", name=op.f("pk_offer")),
        sa.UniqueConstraint(
            "organisation_id",
            "product_class",
            "window_on",
            "half",
            name=op.f("uq_offer_organisation_id_product_class_window_on_half"),
        ),
        schema="masks",
    )
    op.create_index(
        "ix_offer_campaign",
        "offer",
        ["campaign_id", "window_on", "half", "slot_id"],
        unique=False,
        schema="masks",
    )
    op.create_table(
        "redemption",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("redeemed_by", sa.Uuid(), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("method IN ('code','reference')", name=op.f("ck_redemption_method")),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.booking.id"], name=op.f("fk_redemption_booking_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_redemption_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["redeemed_by"], ["accounts.account.id"], name=op.f("fk_redemption_redeemed_by")
        ),
        sa.ForeignKeyConstraint(
            ["undone_by"], ["accounts.account.id"], name=op.f("fk_redemption_undone_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redemption")),
        schema="masks",
    )
    op.create_index(
        "uq_redemption_live",
        "redemption",
        ["booking_id"],
        unique=True,
        schema="masks",
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "reminder",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column(
            "sent_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("statement_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.booking.id"], name=op.f("fk_reminder_booking_id")
        ),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_reminder")),
        schema="masks",
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("reminder", schema="masks")
    op.drop_table("redemption", schema="masks")
    op.drop_table("offer", schema="masks")
    op.drop_table("stock_import", schema="masks")
    op.drop_table("campaign", schema="masks")
