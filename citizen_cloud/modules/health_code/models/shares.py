"""Links by which somebody else may have a code checked, once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, NEW_ID, SCHEMA


class Share(Base):
    """A word that stands for a person's code for three minutes, and works once."""

    __tablename__ = "share"
    __table_args__ = (Index("ix_share_person", "person_id"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"))
    # Who made it: the person, or somebody who acts for him.
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    # 128 random bits, so a plain hash reveals nothing.
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    # The account of the inspector who had it checked.
    used_by: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None]
