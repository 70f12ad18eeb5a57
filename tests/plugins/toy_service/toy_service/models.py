"""The one table of the toy service."""

from uuid import UUID

from sqlalchemy import String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base


class Toy(Base):
    """A toy that somebody has."""

    __tablename__ = "toy"
    __table_args__ = ({"schema": "toys"},)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    name: Mapped[str] = mapped_column(String(40))
