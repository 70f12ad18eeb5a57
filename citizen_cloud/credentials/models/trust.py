"""What verifiers are told: keys that count no more, and the signed snapshots."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "credentials"}


class KeyRevocation(Base):
    """A key of codes that counts no more, whatever the rings hold. No row is ever taken back."""

    __tablename__ = "key_revocation"
    __table_args__ = (
        CheckConstraint("reason IN ('compromised', 'lost', 'superseded')", name="reason"),
        SCHEMA,
    )

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    # Public: every gate reads it.
    reason: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
    # The operator's name on the machine.
    by: Mapped[str] = mapped_column(String(64))


class Snapshot(Base):
    """One signed snapshot of keys, key revocations and void codes, as gates keep it."""

    __tablename__ = "snapshot"
    __table_args__ = (SCHEMA,)

    # Rising, also after an older backup came back: gates refuse a lower one than they hold.
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
