"""People, the accounts that sign in, and what citizens agreed to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.accounts.models.columns import CREATED, NEW_ID, SCHEMA
from citizen_cloud.db import Base


class Person(Base):
    """One identity document is one person, whatever the phone.

    Erasure blanks the row and keeps it: bookings point at it, and nobody is behind it any more.
    """

    __tablename__ = "person"
    __table_args__ = (CheckConstraint("level BETWEEN 1 AND 3", name="level"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    document_type: Mapped[str] = mapped_column(String(32))
    document_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    document_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # The quota identity: never rotates, outlives the row in allowances.
    person_key: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    level: Mapped[int] = mapped_column(SmallInteger, server_default=text("2"))
    verified_by: Mapped[str] = mapped_column(String(32))
    verified_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    erased_at: Mapped[datetime | None]


class Account(Base):
    """Something that signs in: a citizen by phone, staff and admins by user name.

    A ``service`` account stands for another system: it has no sign-in of its own, but what it does
    is written down under its id as everybody's deeds are.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind IN ('citizen','staff','admin','service')", name="kind"),
        CheckConstraint("status IN ('active','suspended','closed')", name="status"),
        # What roles point at, so that a role and the kind of its account cannot part.
        UniqueConstraint("id", "kind"),
        Index("ix_account_phone", "phone_index"),
        # One document, one living account: two racing real-name steps cannot both win.
        Index(
            "uq_account_person",
            "person_id",
            unique=True,
            postgresql_where=text("status <> 'closed'"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    kind: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'active'"))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    username: Mapped[str | None] = mapped_column(String(64), unique=True)
    display_name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    password_hash: Mapped[str | None] = mapped_column(String(200))
    password_changed_at: Mapped[datetime | None]
    # Set while the password is a one-time one: until when, and that it must be replaced.
    password_until: Mapped[datetime | None]
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_confirmed_at: Mapped[datetime | None]
    # The last TOTP step accepted: each code works once.
    totp_step: Mapped[int | None]
    # Another authenticator on its way in; the present one counts until it is confirmed.
    next_totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    next_totp_until: Mapped[datetime | None]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.person.id"))
    language: Mapped[str] = mapped_column(String(2), server_default=text("'zh'"))
    failures: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)


class Consent(Base):
    """A citizen's yes to one purpose in one version; withdrawing keeps the row."""

    __tablename__ = "consent"
    __table_args__ = (SCHEMA,)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    withdrawn_at: Mapped[datetime | None]
