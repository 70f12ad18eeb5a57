"""The outbox: news a service leaves in its own transaction, delivered at least once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base


class Outbox(Base):
    """One event. ``secret`` holds what must not lie open (a phone, a code) until delivered."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("lane IN ('urgent','prompt','bulk')", name="lane"),
        Index("ix_outbox_waiting", "lane", "due_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_outbox_done", "done_at", postgresql_where=text("done_at IS NOT NULL")),
        {"schema": "jobs"},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    event: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Who is served before whom (``rules.Lane``); a retry stays in its lane.
    lane: Mapped[str] = mapped_column(String(8), server_default=text("'prompt'"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
    due_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
    expires_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None] = mapped_column(String(500))
    done_at: Mapped[datetime | None]
    # delivered | expired | failed; empty while due
    outcome: Mapped[str | None] = mapped_column(String(16))
