"""Tables of the booking kernel. What must hold of them is written in ``docs/booking.md``."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

ACTIVE = "status IN ('held','booked','arrived','fulfilled')"
NEW_ID = text("uuidv7()")


class Slot(Base):
    """A scarce thing with a time. ``taken`` is in no index, so that its updates stay in page."""

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("taken >= 0 AND taken <= capacity + overcommit", name="within_capacity"),
        CheckConstraint("overcommit >= 0", name="overcommit"),
        CheckConstraint("starts_at < ends_at", name="period"),
        CheckConstraint("opens_at < closes_at", name="booking_period"),
        CheckConstraint("closes_at <= ends_at", name="closes_before_end"),
        CheckConstraint("status IN ('open','closed','cancelled')", name="status"),
        Index("ix_slot_organisation", "organisation_id"),
        Index("ix_slot_unsettled", "ends_at", postgresql_where=text("NOT settled")),
        {"schema": "booking", "postgresql_with": {"fillfactor": "50"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    module: Mapped[str] = mapped_column(String(32))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    capacity: Mapped[int] = mapped_column(Integer)
    taken: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    overcommit: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'open'"))
    hot: Mapped[bool] = mapped_column(server_default=text("false"))
    # Over, and what nobody claimed has been given back: nothing can be taken any more.
    settled: Mapped[bool] = mapped_column(server_default=text("false"))
    ledger_seq: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    ledger_head: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("'\\x'::bytea"))


class SlotText(Base):
    """What a citizen reads about a slot; apart, so that the hot row stays narrow."""

    __tablename__ = "slot_text"
    __table_args__ = ({"schema": "booking"},)

    slot_id: Mapped[UUID] = mapped_column(ForeignKey("booking.slot.id"), primary_key=True)
    title: Mapped[dict[str, str]]
    place: Mapped[dict[str, str]]


class Booking(Base):
    """A holder's places in one slot."""

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint(
            "status IN ('held','booked','arrived','fulfilled','cancelled','noshow','expired')",
            name="status",
        ),
        CheckConstraint("status <> 'held' OR held_until IS NOT NULL", name="hold_ends"),
        Index(
            "uq_booking_slot_person",
            "slot_id",
            "person_id",
            unique=True,
            postgresql_where=text(ACTIVE),
        ),
        UniqueConstraint("booked_by", "request_key"),
        UniqueConstraint("reference"),
        Index("ix_booking_person", "person_id", "id"),
        Index("ix_booking_held", "held_until", postgresql_where=text("status = 'held'")),
        {"schema": "booking"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slot_id: Mapped[UUID] = mapped_column(ForeignKey("booking.slot.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"))
    booked_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    quantity: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(16))
    request_key: Mapped[str] = mapped_column(String(64))
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    held_until: Mapped[datetime | None]
    booked_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    cancel_reason: Mapped[str | None] = mapped_column(String(200))
    # The allowance it was taken from; empty where the goods are not rationed.
    scope: Mapped[str | None] = mapped_column(String(64))
    person_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    quota_period: Mapped[str | None] = mapped_column(String(16))
    window_from: Mapped[date | None]
    # The slot's local day, where the quota counts in rolling days
    quota_day: Mapped[date | None]


class Allowance(Base):
    """What one person used of one quota in one period."""

    __tablename__ = "allowance"
    __table_args__ = (
        CheckConstraint("used BETWEEN 0 AND max", name="within_limit"),
        {"schema": "booking", "postgresql_with": {"fillfactor": "80"}},
    )

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    # "2020-W08" for a calendar week, "rolling" where window_from says when it began
    quota_period: Mapped[str] = mapped_column(String(16), primary_key=True)
    used: Mapped[int]
    max: Mapped[int]
    # The window's name; began_on moves on when its first days are given back
    window_from: Mapped[date | None]
    began_on: Mapped[date | None]
    # Where the window before this one ended: a day before it belongs to a count no longer kept
    floor_on: Mapped[date | None]


class LedgerEntry(Base):
    """One movement of places; ``hash = sha256(prev ‖ booking id ‖ delta)``."""

    __tablename__ = "ledger"
    __table_args__ = ({"schema": "booking"},)

    slot_id: Mapped[UUID] = mapped_column(ForeignKey("booking.slot.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    delta: Mapped[int]
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("booking.booking.id"))
    prev: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
