"""The places that serve citizens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Float, Index, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.organisations.models.columns import CREATED, NEW_ID, SCHEMA


class Organisation(Base):
    """A place that serves citizens. ``code`` is its number in the register it came from."""

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("kind IN ('pharmacy','hospital','venue','authority')", name="kind"),
        CheckConstraint("status IN ('active','paused','closed')", name="status"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="whole_position"),
        UniqueConstraint("register", "code"),
        Index("ix_organisation_position", "latitude", "longitude"),
        Index("ix_organisation_tokens", "tokens", postgresql_using="gin"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    kind: Mapped[str] = mapped_column(String(16))
    register: Mapped[str] = mapped_column(String(32), server_default=text("'city'"))
    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[dict[str, str]]
    address: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str | None] = mapped_column(String(32))
    # GB/T 2260 code where there is one; county and town in words always
    area_code: Mapped[str | None] = mapped_column(String(12))
    county: Mapped[str] = mapped_column(String(32))
    town: Mapped[str] = mapped_column(String(32))
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    # The datum the position was given in (wgs84 | gcj02 | bd09); what is stored is WGS-84.
    datum: Mapped[str | None] = mapped_column(String(8))
    tokens: Mapped[list[str]] = mapped_column(ARRAY(String))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'active'"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
