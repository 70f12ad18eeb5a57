"""What a citizen was asked and answered, kept line by line: the proof of every yes and no."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.accounts.models.columns import CREATED, NEW_ID, SCHEMA
from citizen_cloud.db import Base


class ConsentReceipt(Base):
    """One answer to one purpose in one version. ``Consent`` says what holds now; this, what was.

    A row never changes but for ``withdrawn_at``, the end of the yes it records.
    """

    __tablename__ = "consent_receipt"
    __table_args__ = (Index("ix_consent_receipt_account", "account_id", "id"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    purpose: Mapped[str] = mapped_column(String(32))
    version: Mapped[int] = mapped_column(SmallInteger)
    granted: Mapped[bool]
    # sha256 of the words that were shown; empty for answers older than receipts
    text_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    # app | counter | before_receipts
    method: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(server_default=CREATED)
    withdrawn_at: Mapped[datetime | None]
