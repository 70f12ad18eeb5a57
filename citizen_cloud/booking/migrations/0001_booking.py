"""Create the tables of the booking room."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "booking_0001"
down_revision = None
branch_labels = ("booking",)
depends_on = ("organisations_0001",)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "allowance",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("person_key", sa.LargeBinary(), nullable=False),
        sa.Column("quota_period", sa.String(length=16), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("max", sa.Integer(), nullable=False),
        sa.Column("window_from", sa.Date(), nullable=True),
        sa.Column("began_on", sa.Date(), nullable=True),
        sa.Column("floor_on", sa.Date(), nullable=True),
        sa.CheckConstraint("used BETWEEN 0 AND max", name=op.f("ck_allowance_within_limit")),
        sa.PrimaryKeyConstraint("scope", "person_key", "quota_period", name=op.f("pk_allowance")),
        schema="booking",
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "slot",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("module", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("overcommit", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.String(length=16), server_default=sa.text("'open'"), nullable=False),
        sa.Column("hot", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("settled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "ledger_head", sa.LargeBinary(), server_default=sa.text("'\\x'::bytea"), nullable=False
        ),
        sa.CheckConstraint("status IN ('open','closed','cancelled')", name=op.f("ck_slot_status")),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_slot_capacity")),
        sa.CheckConstraint("closes_at <= ends_at", name=op.f("ck_slot_closes_before_end")),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_slot_booking_period")),
        sa.CheckConstraint("overcommit >= 0", name=op.f("ck_slot_overcommit")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_slot_period")),
        sa.CheckConstraint(
            "taken >= 0 AND taken <= capacity + overcommit", name=op.f("ck_slot_within_capacity")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.organisation.id"],
            name=op.f("fk_slot_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
        schema="booking",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index(
        "ix_slot_unsettled",
        "slot",
        ["ends_at"],
        unique=False,
        schema="booking",
        postgresql_where=sa.text("NOT settled"),
    )
    op.create_table(
        "booking",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("booked_by", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("scope", sa.String(length=64), nullable=True),
        sa.Column("person_key", sa.LargeBinary(), nullable=True),
        sa.Column("quota_period", sa.String(length=16), nullable=True),
        sa.Column("window_from", sa.Date(), nullable=True),
        sa.Column("quota_day", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "status <> 'held' OR held_until IS NOT NULL", name=op.f("ck_booking_hold_ends")
        ),
        sa.CheckConstraint(
            "status IN ('held','booked','arrived','fulfilled','cancelled','noshow','expired')",
            name=op.f("ck_booking_status"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_booking_quantity")),
        sa.ForeignKeyConstraint(
            ["booked_by"], ["accounts.account.id"], name=op.f("fk_booking_booked_by")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["accounts.person.id"], name=op.f("fk_booking_person_id")
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["booking.slot.id"], name=op.f("fk_booking_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking")),
        sa.UniqueConstraint(
            "booked_by", "request_key", name=op.f("uq_booking_booked_by_request_key")
        ),
        sa.UniqueConstraint("reference", name=op.f("uq_booking_reference")),
        schema="booking",
    )
    op.create_index(
        "ix_booking_held",
        "booking",
        ["held_until"],
        unique=False,
        schema="booking",
        postgresql_where=sa.text("status = 'held'"),
    )
    op.create_index(
        "ix_booking_person", "booking", ["person_id", "id"], unique=False, schema="booking"
    )
    op.create_index(
        "uq_booking_slot_person",
        "booking",
        ["slot_id", "person_id"],
        unique=True,
        schema="booking",
        postgresql_where=sa.text("status IN ('held','booked','arrived','fulfilled')"),
    )
    op.create_table(
        "slot_text",
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("place", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["slot_id"], ["booking.slot.id"], name=op.f("fk_slot_text_slot_id")
        ),
        sa.PrimaryKeyConstraint("slot_id", name=op.f("pk_slot_text")),
        schema="booking",
    )
    op.create_table(
        "ledger",
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["booking.booking.id"], name=op.f("fk_ledger_booking_id")
        ),
        sa.ForeignKeyConstraint(["slot_id"], ["booking.slot.id"], name=op.f("fk_ledger_slot_id")),
        sa.PrimaryKeyConstraint("slot_id", "seq", name=op.f("pk_ledger")),
        schema="booking",
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("ledger", schema="booking")
    op.drop_table("slot_text", schema="booking")
    op.drop_table("booking", schema="booking")
    op.drop_table("slot", schema="booking")
    op.drop_table("allowance", schema="booking")
