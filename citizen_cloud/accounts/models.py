"""Tables of the accounts room. Documents, names and phones are sealed; indexes are blind."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "accounts"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")


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
    """Something that signs in: a citizen by phone, staff and admins by user name."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("kind IN ('citizen','staff','admin')", name="kind"),
        CheckConstraint("status IN ('active','suspended','closed')", name="status"),
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
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    totp_confirmed_at: Mapped[datetime | None]
    # The last TOTP step accepted: each code works once.
    totp_step: Mapped[int | None]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.person.id"))
    language: Mapped[str] = mapped_column(String(2), server_default=text("'zh'"))
    failures: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)


class Device(Base):
    """A phone that proves itself with a secret the server drew; a chosen id proves nothing."""

    __tablename__ = "device"
    __table_args__ = (Index("ix_device_account", "account_id"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    name: Mapped[str] = mapped_column(String(64))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    last_seen_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    # When the document was shown on this device. A phone number alone opens level 1 only, so the
    # next holder of a recycled number does not see the last one's data.
    proven_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    # Staff sign-ins that failed from here; failures elsewhere do not lock this device out.
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    locked_until: Mapped[datetime | None]


class SignIn(Base):
    """One sign-in and its family of refresh tokens; revoking the row revokes them all."""

    __tablename__ = "sign_in"
    __table_args__ = (
        Index("ix_sign_in_account", "account_id"),
        Index("ix_sign_in_device", "device_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    device_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.device.id"))
    # sms | pwd otp (RFC 8176 names, space-separated)
    amr: Mapped[str] = mapped_column(String(32))
    refresh_number: Mapped[int] = mapped_column(server_default=text("1"))
    refresh_hash: Mapped[bytes] = mapped_column(LargeBinary)
    rotated_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    idle_expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    # signed_out | device_removed | refresh_reused | password_changed | erased
    revoked_because: Mapped[str | None] = mapped_column(String(32))


class OtpChallenge(Base):
    """A code on its way to a phone: keyed hash, five tries, five minutes, one use."""

    __tablename__ = "otp_challenge"
    __table_args__ = (Index("ix_otp_challenge_phone", "phone_index", "created_at"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    purpose: Mapped[str] = mapped_column(String(16))
    phone_index: Mapped[bytes] = mapped_column(LargeBinary)
    phone_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # Set where the request came from a proven device: only that device may then spend it.
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.device.id"))
    # Whose day the failures are counted on: the phone's, or the proven device's own
    allowance: Mapped[bytes] = mapped_column(LargeBinary)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class OtpDay(Base):
    """What one allowance used up on one city day; a resend resets nothing here.

    The allowance is the phone's blind index, or a proven device's: strangers who use up the
    phone's day leave the owner's registered device its own.
    """

    __tablename__ = "otp_day"
    __table_args__ = (SCHEMA,)

    allowance: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    day_on: Mapped[date] = mapped_column(primary_key=True)
    sent: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    last_sent_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    locked_until: Mapped[datetime | None]


class Consent(Base):
    """A citizen's yes to one purpose in one version; withdrawing keeps the row."""

    __tablename__ = "consent"
    __table_args__ = (SCHEMA,)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    granted_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    withdrawn_at: Mapped[datetime | None]
