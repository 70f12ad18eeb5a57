"""Tables of the privacy room: bundles to take away, and accounts on their way out."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "privacy"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")


class Export(Base):
    """A bundle of everything held about somebody; sealed, and gone after a week."""

    __tablename__ = "export"
    __table_args__ = (
        CheckConstraint("status IN ('waiting','ready')", name="status"),
        CheckConstraint("(status = 'ready') = (bundle_sealed IS NOT NULL)", name="ready"),
        Index("ix_export_account", "account_id", "id"),
        # One at a time.
        Index(
            "uq_export_waiting",
            "account_id",
            unique=True,
            postgresql_where=text("status = 'waiting'"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.person.id"))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'waiting'"))
    bundle_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    requested_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class Closure(Base):
    """An account on its way out. ``cooling`` may be undone; ``closed`` names nobody any more.

    ``closing``: signed out for good, and every request that was under way has ended before the
    rest begins.
    """

    __tablename__ = "closure"
    __table_args__ = (
        CheckConstraint("status IN ('cooling','closing','closed','undone')", name="status"),
        CheckConstraint("(status = 'closed') = (certificate IS NOT NULL)", name="certified"),
        CheckConstraint("(status = 'closed') = (account_id IS NULL)", name="nameless"),
        Index(
            "uq_closure_open",
            "account_id",
            unique=True,
            postgresql_where=text("status IN ('cooling','closing')"),
        ),
        Index(
            "ix_closure_due",
            "due_at",
            postgresql_where=text("status IN ('cooling','closing')"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.person.id"))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'cooling'"))
    # A word of a list: free text would be one more thing to erase.
    reason: Mapped[str | None] = mapped_column(String(16))
    # With the id it fetches the certificate when nobody can sign in any more.
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    requested_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    due_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    certificate: Mapped[str | None] = mapped_column(Text)
