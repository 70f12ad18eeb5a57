"""The issuance record: nothing is signed without a row, nothing without a row is accepted."""

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
    # What it says beyond its times: colour, source, masked name.
    claims: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    # The one-day key that signs each showing: a compressed P-256 point, 33 bytes.
    show_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Void for now: what it says is not so at present and may be so again.
    suspended_at: Mapped[datetime | None]
