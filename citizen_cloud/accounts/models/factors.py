"""How staff come back in without their authenticator or password."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.accounts.models.columns import CREATED, NEW_ID, SCHEMA
from citizen_cloud.db import Base


class RecoveryCode(Base):
    """One of ten codes that stand in for the authenticator, each once. A new set replaces all."""

    __tablename__ = "recovery_code"
    __table_args__ = (SCHEMA,)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    used_at: Mapped[datetime | None]


class Reset(Base):
    """A way back in that somebody else opened: one code, one day, one new password.

    The code exists from the confirmation on where two people must agree; nobody agrees with
    himself, nor opens his own account.
    """

    __tablename__ = "reset"
    __table_args__ = (
        CheckConstraint("asked_by <> account_id", name="asked_by_another"),
        CheckConstraint(
            "confirmed_by <> account_id AND confirmed_by <> asked_by", name="confirmed_by_a_third"
        ),
        CheckConstraint(
            "NOT needs_second OR code_hash IS NULL OR confirmed_by IS NOT NULL",
            name="second_agreed",
        ),
        Index("ix_reset_account", "account_id"),
        Index("ix_reset_asked_by", "asked_by"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    # Empty for the machine's owner at a terminal.
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    needs_second: Mapped[bool]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    confirmed_at: Mapped[datetime | None]
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    # Replaced by another one, or withdrawn with the standing of who asked.
    ended_at: Mapped[datetime | None]
