"""What was said of people's health, and where each of them stands by it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, NEW_ID, SCHEMA
from citizen_cloud.modules.health_code.rules.events import KINDS, SOURCE_KINDS
from citizen_cloud.modules.health_code.rules.versions import COLOURS


def _in(column: str, words: tuple[str, ...]) -> str:
    listed = ",".join(f"'{word}'" for word in words)
    return f"{column} IN ({listed})"


class Event(Base):
    """One fact about one person. Append-only: the application may delete for an erasure only.

    What two people must have agreed to names the proposal, what a source reported its batch: the
    table refuses a colour given by nobody.
    """

    __tablename__ = "event"
    __table_args__ = (
        CheckConstraint(_in("kind", KINDS), name="kind"),
        CheckConstraint(_in("source_kind", SOURCE_KINDS), name="source_kind"),
        CheckConstraint(
            "kind NOT IN ('assigned','withdrawn') OR approval_id IS NOT NULL", name="by_hand"
        ),
        CheckConstraint(
            "kind NOT IN ('test_result','exposure','recovery','exclusion') "
            "OR batch_id IS NOT NULL OR approval_id IS NOT NULL",
            name="reported",
        ),
        CheckConstraint("(kind = 'withdrawn') = (withdraws IS NOT NULL)", name="withdraws"),
        CheckConstraint("occurred_at <= recorded_at", name="not_ahead"),
        Index("ix_event_person", "person_id", "occurred_at"),
        Index("ix_event_withdraws", "withdraws", postgresql_where=text("withdraws IS NOT NULL")),
        Index("ix_event_approval", "approval_id", postgresql_where=text("approval_id IS NOT NULL")),
        Index("ix_event_batch", "batch_id", postgresql_where=text("batch_id IS NOT NULL")),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"))
    kind: Mapped[str] = mapped_column(String(16))
    # What the fact rests on: rules.events.EVIDENCE
    evidence: Mapped[str] = mapped_column(String(16))
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    # Small facts out of closed lists: rules.events
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    # A note or the number of a train
    details_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    source_kind: Mapped[str] = mapped_column(String(16))
    # Account, source or system that said it
    source_id: Mapped[UUID | None]
    approval_id: Mapped[UUID | None]
    batch_id: Mapped[UUID | None]
    withdraws: Mapped[UUID | None] = mapped_column(ForeignKey("health_code.event.id"))


class Standing(Base):
    """The colour of one person as the events come to it; its row is the lock of the person."""

    __tablename__ = "standing"
    __table_args__ = (
        CheckConstraint(_in("colour", COLOURS), name="colour"),
        Index("ix_standing_due", "holds_until", postgresql_where=text("holds_until IS NOT NULL")),
        Index("ix_standing_version", "rule_version", "person_id"),
        Index("uq_standing_handle", "handle", unique=True),
        SCHEMA,
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"), primary_key=True)
    # What a thin code knows the person by, sealed: it goes when the row goes
    handle: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    colour: Mapped[str] = mapped_column(String(8), server_default=text("'none'"))
    as_of: Mapped[datetime] = mapped_column(server_default=CREATED)
    # rules.colours.Reason, worst first
    reasons: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    # When the colour turns by itself, always a local midnight
    next_change_at: Mapped[datetime | None]
    green_from: Mapped[datetime | None]
    streak: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    rule_version: Mapped[int]
    # When anything in this row may read otherwise by itself; the job looks again then
    holds_until: Mapped[datetime | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=CREATED)
