"""The switchboard's table: one row per module, also for modules that are not installed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, String, text
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
