"""Who read what of a person, when and why: what ``GET /me/data-access`` shows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.accounts.models.columns import CREATED, NEW_ID, SCHEMA
from citizen_cloud.db import Base


class DataAccess(Base):
    """One look at a person's data, or an attempt that was refused.

    Reader and organisation are plain ids: the row must outlive both.
    """

    __tablename__ = "data_access"
    __table_args__ = (
        CheckConstraint("outcome IN ('read','changed','refused')", name="outcome"),
        Index("ix_data_access_person", "person_id", "id"),
        Index("ix_data_access_reader", "reader_id", "at"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    person_id: Mapped[UUID]
    at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
    # staff | admin | service | proxy | partner
    reader_kind: Mapped[str] = mapped_column(String(16))
    reader_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    # What for: masks.redeem, families.proxy, oidc.userinfo …
    purpose: Mapped[str] = mapped_column(String(64))
    # Which data: name, document, birth_date, bookings, phone …
    categories: Mapped[list[str]] = mapped_column(ARRAY(String(32)))
    # What made it rightful: booking | case | link | consent | none
    basis_type: Mapped[str] = mapped_column(String(16))
    basis_id: Mapped[UUID | None]
    outcome: Mapped[str] = mapped_column(String(16), server_default=text("'read'"))


class HoneyPerson(Base):
    """A made-up person nobody has a reason to look at: whoever does sets off an alarm."""

    __tablename__ = "honey_person"
    __table_args__ = (SCHEMA,)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
