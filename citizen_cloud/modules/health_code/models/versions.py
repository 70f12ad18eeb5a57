"""Rule versions, and the runs that try one on everybody before it counts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, NEW_ID, SCHEMA


class RuleVersion(Base):
    """A set of rules. It never changes; what it says is ``rules.versions.read_version``."""

    __tablename__ = "rule_version"
    __table_args__ = (
        CheckConstraint("status IN ('draft','shadow','live','retired')", name="status"),
        CheckConstraint("profile IN ('a','b','c')", name="profile"),
        CheckConstraint("(live_from IS NULL) = (status IN ('draft','shadow'))", name="live_from"),
        CheckConstraint("(live_until IS NULL) = (status <> 'retired')", name="live_until"),
        # One set of rules is in force at any time.
        Index(
            "uq_rule_version_live",
            text("(status = 'live')"),
            unique=True,
            postgresql_where=text("status = 'live'"),
        ),
        SCHEMA,
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True, server_default=NEW_ID)
    profile: Mapped[str] = mapped_column(String(8))
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # Changes the author means: [{"from": "green", "to": "yellow"}]
    expected: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    note: Mapped[str] = mapped_column(String(500), server_default=text("''"))
    status: Mapped[str] = mapped_column(String(8), server_default=text("'draft'"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    live_from: Mapped[datetime | None]
    live_until: Mapped[datetime | None]
    # The proposal that two people agreed to; empty for the version a city starts with
    approval_id: Mapped[UUID | None]


class ShadowRun(Base):
    """One trial of a version on everybody: how far it is, and what it would change."""

    __tablename__ = "shadow_run"
    __table_args__ = (
        CheckConstraint("status IN ('running','finished')", name="status"),
        Index("ix_shadow_run_number", "number", "id"),
        Index(
            "uq_shadow_run_running",
            "number",
            unique=True,
            postgresql_where=text("status = 'running'"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    number: Mapped[int] = mapped_column(ForeignKey("health_code.rule_version.number"))
    # The version it was compared with
    against: Mapped[int] = mapped_column(ForeignKey("health_code.rule_version.number"))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'running'"))
    # Everybody is looked at as they stood at this instant
    at: Mapped[datetime] = mapped_column(server_default=CREATED)
    started_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    # The last person looked at; a run that was stopped goes on behind
    cursor: Mapped[UUID | None]
    total: Mapped[int]
    looked_at: Mapped[int] = mapped_column(server_default=text("0"))
    unchanged: Mapped[int] = mapped_column(server_default=text("0"))
    # How many turn from which colour to which: green>yellow and the like
    flips: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    unexpected: Mapped[int] = mapped_column(server_default=text("0"))
    finished_at: Mapped[datetime | None]


class ShadowFlip(Base):
    """A person whose colour the version would change, without a name."""

    __tablename__ = "shadow_flip"
    __table_args__ = (SCHEMA,)

    run_id: Mapped[UUID] = mapped_column(ForeignKey("health_code.shadow_run.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"), primary_key=True)
    before: Mapped[str] = mapped_column(String(8))
    after: Mapped[str] = mapped_column(String(8))
