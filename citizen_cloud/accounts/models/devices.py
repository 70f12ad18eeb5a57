"""Devices and the sign-ins on them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.accounts.models.columns import CREATED, NEW_ID, SCHEMA
from citizen_cloud.db import Base


class Device(Base):
    """A phone that proves itself with a secret the server drew; a chosen id proves nothing."""

    __tablename__ = "device"
    __table_args__ = (Index("ix_device_account", "account_id"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    # Owners give their devices names, their own among them; NULL where none was given.
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
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
    # sms | pwd otp (RFC 8176 names, space-separated) | wechat | alipay | oidc
    amr: Mapped[str] = mapped_column(String(32))
    refresh_number: Mapped[int] = mapped_column(server_default=text("1"))
    refresh_hash: Mapped[bytes] = mapped_column(LargeBinary)
    rotated_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    idle_expires_at: Mapped[datetime | None]
    # When the factors were last shown; doors marked fresh ask for a recent one (RFC 9470).
    proved_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    revoked_at: Mapped[datetime | None]
    # signed_out | device_removed | refresh_reused | password_changed | phone_changed |
    # phone_given_up | identity_removed | reset | erased
    revoked_because: Mapped[str | None] = mapped_column(String(32))
