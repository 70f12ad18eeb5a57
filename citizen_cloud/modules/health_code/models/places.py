"""Places people enter: a shop, a station, a hall, with the rules of its own door."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, NEW_ID, SCHEMA


class Place(Base):
    """One door of an organisation; its code rotates under a secret of its own."""

    __tablename__ = "place"
    __table_args__ = (
        CheckConstraint("status IN ('open','closed')", name="status"),
        CheckConstraint("max_status_age_s BETWEEN 600 AND 86400", name="max_status_age"),
        Index("ix_place_organisation", "organisation_id", "id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    name: Mapped[dict[str, str]]
    area_code: Mapped[str] = mapped_column(String(12))
    # How old a status list an offline gate of this place may work from
    max_status_age_s: Mapped[int] = mapped_column(server_default=text("21600"))
    accepts_thin: Mapped[bool] = mapped_column(server_default=text("true"))
    accepts_paper: Mapped[bool] = mapped_column(server_default=text("true"))
    # A gate here shows a number of its own, and takes only codes bound to it
    needs_nonce: Mapped[bool] = mapped_column(server_default=text("false"))
    # Yellow may enter, restricted as the place says at its door
    admits_yellow: Mapped[bool] = mapped_column(server_default=text("true"))
    status: Mapped[str] = mapped_column(String(8), server_default=text("'open'"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    # What its rotating code is made under; leaves the row for nobody
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
