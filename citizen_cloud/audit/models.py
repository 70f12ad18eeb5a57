"""Tables of the audit room: entries written with the business, seals and heads after it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base


class Entry(Base):
    """One sensitive act. The application may insert and read entries, never change them."""

    __tablename__ = "entry"
    __table_args__ = (
        Index("ix_entry_xid", "xid"),
        Index("ix_entry_object", "object_type", "object_id"),
        {"schema": "audit"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    # The writing transaction, as a number: what lies below every running one is complete.
    xid: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)")
    )
    at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    # Erasure removes salt and payload and leaves the seal's digest: the chain still verifies.
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class Seal(Base):
    """One link of the chain, numbered without gaps.

    ``hash = sha256(prev ‖ number ‖ digest ‖ sealed_at)``; the digest is the entry's, salted.
    """

    __tablename__ = "seal"
    __table_args__ = ({"schema": "audit"},)

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID] = mapped_column(unique=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    prev: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))


class Watermark(Base):
    """The single row that says below which transaction everything is sealed."""

    __tablename__ = "watermark"
    __table_args__ = ({"schema": "audit"},)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed_below: Mapped[int] = mapped_column(BigInteger)


class Head(Base):
    """The last link, as published on a day: what lies before it is not rewritten unseen."""

    __tablename__ = "head"
    __table_args__ = ({"schema": "audit"},)

    day_on: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_at: Mapped[datetime]
    published_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
