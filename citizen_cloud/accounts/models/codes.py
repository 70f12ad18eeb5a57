"""One-time codes and what an allowance used up."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.accounts.models.columns import CREATED, NEW_ID, SCHEMA
from citizen_cloud.db import Base


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
    # Whose day the failures are counted on: the phone's, the proven device's own, the account's
    allowance: Mapped[bytes] = mapped_column(LargeBinary)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class OtpDay(Base):
    """What one allowance used up on one city day; a resend resets nothing here.

    The allowance is the phone's blind index, or a proven device's: strangers who use up the
    phone's day leave the owner's registered device its own. An account has one for codes to
    numbers it wants to change to.
    """

    __tablename__ = "otp_day"
    __table_args__ = (SCHEMA,)

    allowance: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    day_on: Mapped[date] = mapped_column(primary_key=True)
    sent: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    last_sent_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    locked_until: Mapped[datetime | None]


class NetworkHour(Base):
    """What strangers of one network did in one hour; the network is a keyed hash."""

    __tablename__ = "network_hour"
    __table_args__ = (SCHEMA,)

    network: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(primary_key=True)
    sent: Mapped[int] = mapped_column(server_default=text("0"))
    failures: Mapped[int] = mapped_column(server_default=text("0"))


class SmsHour(Base):
    """Texts with codes sent in one hour, spread over shards so that no row is hot."""

    __tablename__ = "sms_hour"
    __table_args__ = (SCHEMA,)

    hour_at: Mapped[datetime] = mapped_column(primary_key=True)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    sent: Mapped[int] = mapped_column(server_default=text("0"))
