"""Tables of the masks module. An offer is a booking slot with a product and a half-day."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "masks"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")


class Campaign(Base):
    """A distribution of one product class under one quota profile."""

    __tablename__ = "campaign"
    __table_args__ = (
        CheckConstraint("product_class IN ('adult','child')", name="product_class"),
        CheckConstraint("mode IN ('first_come')", name="mode"),
        CheckConstraint("status IN ('draft','open','paused','closed')", name="status"),
        CheckConstraint("starts_on <= ends_on", name="period"),
        CheckConstraint("opens_at < closes_at", name="booking_period"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    title: Mapped[dict[str, str]]
    product_class: Mapped[str] = mapped_column(String(16))
    # A name of rules.PROFILES
    profile: Mapped[str] = mapped_column(String(16))
    # rules.eligibility.Eligibility, in full: the conditions of a campaign never change
    eligibility: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mode: Mapped[str] = mapped_column(String(16), server_default=text("'first_come'"))
    # Collection days, inclusive
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    # When booking is possible
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    # Collection hours of a half-day where an offer names none
    morning_from: Mapped[time] = mapped_column(server_default=text("'08:00'"))
    morning_until: Mapped[time] = mapped_column(server_default=text("'12:00'"))
    afternoon_from: Mapped[time] = mapped_column(server_default=text("'13:00'"))
    afternoon_until: Mapped[time] = mapped_column(server_default=text("'18:00'"))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'draft'"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)


class Offer(Base):
    """Stock of one outlet for one half-day; its id is its slot's id."""

    __tablename__ = "offer"
    __table_args__ = (
        CheckConstraint("half IN ('am','pm')", name="half"),
        CheckConstraint("status IN ('open','paused')", name="status"),
        UniqueConstraint("organisation_id", "product_class", "window_on", "half"),
        Index("ix_offer_campaign", "campaign_id", "window_on", "half", "slot_id"),
        SCHEMA,
    )

    slot_id: Mapped[UUID] = mapped_column(ForeignKey("booking.slot.id"), primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("masks.campaign.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    product_class: Mapped[str] = mapped_column(String(16))
    window_on: Mapped[date]
    half: Mapped[str] = mapped_column(String(2))
    # The outlet's own wish; the slot is open when campaign, outlet and offer all are
    status: Mapped[str] = mapped_column(String(16), server_default=text("'open'"))
    # When the outlet last counted its stock
    counted_at: Mapped[datetime] = mapped_column(server_default=CREATED)


class Redemption(Base):
    """A hand-over at the counter; a booking has at most one that was not undone."""

    __tablename__ = "redemption"
    __table_args__ = (
        CheckConstraint("method IN ('code','reference')", name="method"),
        Index(
            "uq_redemption_live",
            "booking_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.booking.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    method: Mapped[str] = mapped_column(String(16))
    redeemed_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    redeemed_at: Mapped[datetime]
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    undone_at: Mapped[datetime | None]


class Reminder(Base):
    """A booking whose holder was reminded; the row is what keeps a second text away."""

    __tablename__ = "reminder"
    __table_args__ = (SCHEMA,)

    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.booking.id"), primary_key=True)
    sent_at: Mapped[datetime] = mapped_column(server_default=CREATED)


class StockImport(Base):
    """A stock file that was applied; the same content again changes nothing."""

    __tablename__ = "stock_import"
    __table_args__ = (
        UniqueConstraint(
            "organisation_id", "target", "content_hash", postgresql_nulls_not_distinct=True
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    # Empty for the platform's own import over all outlets
    organisation_id: Mapped[UUID | None]
    # Campaigns and half-day the file was applied to, in one word
    target: Mapped[str] = mapped_column(String(120))
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    applied_by: Mapped[UUID | None]
    applied_at: Mapped[datetime] = mapped_column(server_default=CREATED)
