"""Checks of codes: that each was answered once, and what was answered. Not whose code it was."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, NEW_ID, SCHEMA


class Scan(Base):
    """One check by one inspector.

    It names neither the person nor the code: keyed hashes tell that the same was shown again, and
    the answer is sealed. A dump of this table and of all codes does not say who was where.
    """

    __tablename__ = "scan"
    __table_args__ = (
        CheckConstraint("is_offline = (device_at IS NOT NULL)", name="offline"),
        CheckConstraint("is_offline = (device_outcome IS NOT NULL)", name="device_outcome"),
        Index("uq_scan_scan_id", "account_id", "scan_id", unique=True),
        # A showing passes once, also of two gates at the same instant.
        Index(
            "uq_scan_showing",
            "showing_hash",
            unique=True,
            postgresql_where=text("is_proven AND outcome = 'valid'"),
        ),
        # What no phone signed may pass again, elsewhere.
        Index(
            "ix_scan_showing",
            "showing_hash",
            postgresql_where=text("NOT is_proven AND outcome = 'valid'"),
        ),
        Index("ix_scan_decided_at", "decided_at"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    # The inspector.
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    # Drawn by the scanner, unique with its inspector.
    scan_id: Mapped[str] = mapped_column(String(64))
    place_id: Mapped[UUID | None]
    code_hash: Mapped[bytes] = mapped_column(LargeBinary)
    # Of the code and its step; None where the code was not readable.
    showing_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Whether a phone signed this showing, so that it cannot rightly come twice.
    is_proven: Mapped[bool]
    outcome: Mapped[str] = mapped_column(String(24))
    answer_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    decided_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    # What a gate said while it was alone, and when by its own clock.
    is_offline: Mapped[bool] = mapped_column(server_default=text("false"))
    device_at: Mapped[datetime | None]
    device_outcome: Mapped[str | None] = mapped_column(String(24))
    # The gate let somebody in whom the server would not have.
    is_conflict: Mapped[bool] = mapped_column(server_default=text("false"))
