"""Keys that phones hold, and the challenges by which they prove that they do."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "credentials"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")


class DeviceKey(Base):
    """The P-256 key of one registered device; it signs for each fresh show key."""

    __tablename__ = "device_key"
    __table_args__ = (
        CheckConstraint("length(public_key) = 33", name="compressed"),
        CheckConstraint("(ended_at IS NULL) = (ended_reason IS NULL)", name="ended"),
        CheckConstraint("ended_reason IN ('removed', 'lost', 'replaced')", name="ended_reason"),
        Index(
            "uq_device_key_live",
            "device_id",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        # For ever, also after its end: a key that was lost does not come back.
        Index("uq_device_key_public_key", "public_key", unique=True),
        Index("ix_device_key_account", "account_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    # Goes with the device when an account is erased.
    device_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.device.id", ondelete="CASCADE"))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None] = mapped_column(String(16))


class DeviceChallenge(Base):
    """32 random bytes for one device of one account, to be signed once within five minutes."""

    __tablename__ = "device_challenge"
    __table_args__ = (
        CheckConstraint("length(challenge) = 32", name="length"),
        Index("ix_device_challenge_device", "device_id"),
        Index("ix_device_challenge_account", "account_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    device_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.device.id", ondelete="CASCADE"))
    challenge: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
