"""Tables of the messages room."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "messages"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")


class Message(Base):
    """One entry of an inbox. ``dedupe_key`` makes a redelivered event change nothing."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_inbox", "account_id", "id"),
        Index("ix_message_unread", "account_id", postgresql_where=text("read_at IS NULL")),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    kind: Mapped[str] = mapped_column(String(64))
    title: Mapped[dict[str, str]]
    body: Mapped[dict[str, str]]
    # Names what the message is about, e.g. a booking; the app opens it on a tap.
    subject_type: Mapped[str | None] = mapped_column(String(32))
    subject_id: Mapped[UUID | None]
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    read_at: Mapped[datetime | None]


class Delivery(Base):
    """One text on its way out; phone and words are sealed, and blanked once it is over."""

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint("status IN ('pending','sent','failed','expired')", name="status"),
        Index(
            "ix_delivery_first",
            "expires_at",
            "due_at",
            postgresql_where=text("status = 'pending'"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    channel: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(64))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    dedupe_key: Mapped[str] = mapped_column(String(120), unique=True)
    status: Mapped[str] = mapped_column(String(16), server_default=text("'pending'"))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    error: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    due_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
