"""Who was where, so that the row alone tells it to nobody; and what was opened by case."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, SCHEMA


class Visit(Base):
    """One person at one place. Two visits of a person have no value in common.

    In clear: the place and the hour. The id is random, for a dated one would tell the minute.
    """

    __tablename__ = "visit"
    __table_args__ = (
        Index("uq_visit_own_index", "own_index", unique=True),
        Index("uq_visit_once_index", "once_index", unique=True),
        Index("ix_visit_place", "place_id", "hour_at", "id"),
        Index("ix_visit_hour", "hour_at"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    place_id: Mapped[UUID] = mapped_column(ForeignKey("health_code.place.id"))
    hour_at: Mapped[datetime]
    # Person, minute and the two values below
    visitor_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # Keyed hash of person, day and number: how its person finds it
    own_index: Mapped[bytes] = mapped_column(LargeBinary)
    # Keyed hash of place, step and person: a second scan is the same visit
    once_index: Mapped[bytes] = mapped_column(LargeBinary)


class VisitOpening(Base):
    """A record two approvers opened for one authority, one place, some hours."""

    __tablename__ = "visit_opening"
    __table_args__ = (
        CheckConstraint("from_at < until_at", name="period"),
        Index("ix_visit_opening_unit", "unit_id", "id"),
        SCHEMA,
    )

    # The proposal's own id
    id: Mapped[UUID] = mapped_column(ForeignKey("approvals.proposal.id"), primary_key=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    place_id: Mapped[UUID] = mapped_column(ForeignKey("health_code.place.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime]
    case_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    ends_at: Mapped[datetime]
    # How often it was read, and how many visits were shown, the same one each time anew
    reads: Mapped[int] = mapped_column(server_default=text("0"))
    shown: Mapped[int] = mapped_column(server_default=text("0"))
    last_read_at: Mapped[datetime | None]
