"""The issuance record: nothing without a row is accepted, but for what is over in a minute.

Thin codes have none: their id says what a row would (``services.thin``). Those of 0.3.0 had one.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base


class Credential(Base):
    """One code by its ``jti``. A subject (a booking) has one live code at a time."""

    __tablename__ = "credential"
    __table_args__ = (
        Index(
            "uq_credential_live",
            "type",
            "subject_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index(
            "ix_credential_holder",
            "holder_id",
            "type",
            postgresql_where=text("holder_id IS NOT NULL AND revoked_at IS NULL"),
        ),
        Index("uq_credential_show_key", "show_key", unique=True),
        Index(
            "ix_credential_device_key",
            "device_key_id",
            postgresql_where=text("device_key_id IS NOT NULL AND revoked_at IS NULL"),
        ),
        # What the status list is read from, every half minute.
        Index(
            "ix_credential_void",
            "expires_at",
            postgresql_where=text("revoked_at IS NOT NULL OR suspended_at IS NOT NULL"),
        ),
        # What is forgotten every night: most of all rows.
        Index(
            "ix_credential_short",
            "expires_at",
            postgresql_where=text("type IN ('hc', 'ht')"),
        ),
        # What a stolen key has signed.
        Index("ix_credential_kid", "kid", "jti", postgresql_where=text("revoked_at IS NULL")),
        {"schema": "credentials"},
    )

    jti: Mapped[UUID] = mapped_column(primary_key=True)
    type: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[UUID]
    kid: Mapped[str] = mapped_column(String(32))
    issued_at: Mapped[datetime]
    not_before: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    # Whose code it is, where it stands for a person and not for a booking.
    holder_id: Mapped[UUID | None]
    # What it says beyond its times, but for the name: {"c": colour}.
    claims: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    # The masked name a paper code says.
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # The one-day key that signs each showing: a compressed P-256 point, 33 bytes.
    show_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    # The phone that signed for the show key. No foreign key: the insert looks at it, and locks it.
    device_key_id: Mapped[UUID | None]
    # Void for now: what it says is not so at present and may be so again.
    suspended_at: Mapped[datetime | None]
