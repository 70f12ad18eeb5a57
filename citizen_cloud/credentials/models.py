"""The issuance record: nothing is signed without a row, nothing without a row is accepted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, text
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
