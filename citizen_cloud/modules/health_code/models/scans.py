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
        CheckConstraint("type IN ('hc','ht','hp')", name="type"),
        CheckConstraint("finding IN ('replayed','cloned')", name="finding"),
        CheckConstraint("(finding IS NULL) = (finding_id IS NULL)", name="finding_id"),
        # What a phone or the server drew for this moment passes once, also at two gates at the
        # same instant; what was found to be the later of two is not the one that passed.
        Index(
            "uq_scan_showing",
            "showing_hash",
            unique=True,
            postgresql_where=text("type IN ('hc','ht') AND outcome = 'valid' AND finding IS NULL"),
        ),
        Index("uq_scan_finding_id", "finding_id", unique=True),
        Index("ix_scan_showing", "showing_hash"),
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
    # Of the code and its step; None where the code was not readable, or was good and a gate that
    # was alone let nobody in by it: it may still pass elsewhere.
    showing_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    # hc, ht, hp; None where the code was not readable.
    type: Mapped[str | None] = mapped_column(String(2))
    outcome: Mapped[str] = mapped_column(String(24))
    answer_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    decided_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    # The instant that counts: the gate's, but none that has not been.
    scanned_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    # What a gate said while it was alone, and when by its own clock.
    is_offline: Mapped[bool] = mapped_column(server_default=text("false"))
    device_at: Mapped[datetime | None]
    device_outcome: Mapped[str | None] = mapped_column(String(24))
    # The gate let somebody in whom the server would not have.
    is_conflict: Mapped[bool] = mapped_column(server_default=text("false"))
    # Found to be the later of two, perhaps only when the earlier one was uploaded. What was
    # answered stays as it was answered. The id is the finding's own, as auditors get it.
    finding: Mapped[str | None] = mapped_column(String(8))
    finding_id: Mapped[UUID | None]
