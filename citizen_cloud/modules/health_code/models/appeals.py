"""Appeals and corrections with their clock, and how many colours were given by hand where."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, NEW_ID, SCHEMA


class Appeal(Base):
    """What a citizen objects to; somebody answers before ``due_at``, or an alarm rings."""

    __tablename__ = "appeal"
    __table_args__ = (
        CheckConstraint("kind IN ('appeal','correction')", name="kind"),
        CheckConstraint(
            "status IN ('open','proposed','granted','refused','by_rule')", name="status"
        ),
        CheckConstraint(
            "(status IN ('open','proposed')) = (decided_at IS NULL)", name="decided_once"
        ),
        Index(
            "uq_appeal_open",
            "person_id",
            "kind",
            unique=True,
            postgresql_where=text("decided_at IS NULL"),
        ),
        Index("ix_appeal_due", "due_at", postgresql_where=text("decided_at IS NULL")),
        Index("ix_appeal_proposal", "proposal_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    kind: Mapped[str] = mapped_column(String(16))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"))
    # Who asked: the person, or somebody who may act for them
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    # The colour objected to, as it stood
    colour: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str] = mapped_column(String(32))
    text_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # The event a correction is about
    event_id: Mapped[UUID | None]
    status: Mapped[str] = mapped_column(String(16), server_default=text("'open'"))
    due_at: Mapped[datetime]
    overdue_at: Mapped[datetime | None]
    # The authority that answers, and for it whom; citizens are told the authority only
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.organisation.id"))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    decided_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(String(32))
    proposal_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)


class Assignment(Base):
    """A proposal that gave colours by hand: what the rate of an area is counted from."""

    __tablename__ = "assignment"
    __table_args__ = (Index("ix_assignment_rate", "area", "applied_at"), SCHEMA)

    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    # The unit's area code, or its county where it has none
    area: Mapped[str] = mapped_column(String(32))
    colour: Mapped[str] = mapped_column(String(8))
    persons: Mapped[int]
    applied_at: Mapped[datetime] = mapped_column(server_default=CREATED)
