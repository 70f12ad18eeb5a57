"""Codes on paper, and the status that lets somebody of any age have one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, NEW_ID, SCHEMA


class Paper(Base):
    """One paper code. The code is the one live ``hp`` credential whose subject is the person.

    It is signed anew whenever it is drawn, and keeps its place here when a key of codes is stolen
    and it gets another number.
    """

    __tablename__ = "paper"
    __table_args__ = (
        CheckConstraint("reason IN ('minor','elder','disabled')", name="reason"),
        CheckConstraint("colour IN ('green','yellow','red')", name="colour"),
        CheckConstraint(
            "(ended_at IS NULL) = (ended_because IS NULL) AND "
            "(ended_because IS NULL OR ended_because IN ('replaced','lost','withdrawn'))",
            name="ended",
        ),
        # One living copy: two racing requests cannot both leave one.
        Index("uq_paper_live", "person_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_paper_person", "person_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"))
    reason: Mapped[str] = mapped_column(String(16))
    colour: Mapped[str] = mapped_column(String(8))
    # Who asked for it: the person, somebody who acts for him, or a clerk at a counter.
    issued_by: Mapped[UUID]
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisations.organisation.id")
    )
    issued_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None] = mapped_column(String(16))


class Disability(Base):
    """A clerk saw the certificate; nothing of what it says is kept but where it is filed."""

    __tablename__ = "disability"
    __table_args__ = (SCHEMA,)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"), unique=True)
    attested_by: Mapped[UUID]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    evidence_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    attested_at: Mapped[datetime] = mapped_column(server_default=CREATED)
