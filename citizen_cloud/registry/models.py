"""The switchboard's tables: a row per module, also for those not installed; purges of modules."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base


class Module(Base):
    """State and settings of a module; ``version`` rises with every change (ETag)."""

    __tablename__ = "module"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft','active','read_only','draining','off','sunset')", name="state"
        ),
        {"schema": "registry"},
    )

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), server_default=text("'off'"))
    reason: Mapped[str] = mapped_column(String(500), server_default=text("''"))
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))


class Purge(Base):
    """The end of a module by order of two people; the row stays, and so does the state sunset."""

    __tablename__ = "purge"
    __table_args__ = (
        CheckConstraint("state IN ('ordered','running','done')", name="state"),
        CheckConstraint("(state = 'done') = (certificate IS NOT NULL)", name="certified"),
        CheckConstraint("(state = 'done') = (finished_at IS NOT NULL)", name="finished"),
        {"schema": "registry"},
    )

    module: Mapped[str] = mapped_column(ForeignKey("registry.module.name"), primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True, server_default=text("uuidv7()"))
    # The proposal that two people of different units agreed to.
    approval_id: Mapped[UUID] = mapped_column(unique=True)
    ordered_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
    state: Mapped[str] = mapped_column(String(16), server_default=text("'ordered'"))
    # Rows gone, by what they were: a purge that was stopped goes on where it stood.
    progress: Mapped[dict[str, int]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    finished_at: Mapped[datetime | None]
    certificate: Mapped[str | None] = mapped_column(Text)


class EndedType(Base):
    """A type of codes that ended with its service; no row is ever taken back."""

    __tablename__ = "ended_type"
    __table_args__ = (
        CheckConstraint("begun_at > ended_at", name="begun"),
        Index("uq_ended_type_open", "type", unique=True, postgresql_where=text("begun_at IS NULL")),
        {"schema": "registry"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    type: Mapped[str] = mapped_column(String(16))
    module: Mapped[str] = mapped_column(ForeignKey("registry.module.name"))
    ended_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
    # Codes issued before this stay dead; without it none of the type counts.
    begun_at: Mapped[datetime | None]
