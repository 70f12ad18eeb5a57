"""Which person a staff account stands for: what two accounts of one human cannot hide."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.accounts.models.columns import CREATED, NEW_ID, SCHEMA
from citizen_cloud.db import Base


class Binding(Base):
    """Asked for by a staff account, confirmed by the citizen whom it stands for.

    The person is a plain foreign key: whoever is erased keeps an empty row, under which his words
    still count as one person's. A trigger keeps what was confirmed as it was; it can only end.
    """

    __tablename__ = "binding"
    __table_args__ = (
        CheckConstraint("(person_id IS NULL) = (bound_at IS NULL)", name="confirmed"),
        CheckConstraint("code_hash IS NULL OR person_id IS NULL", name="code_spent"),
        # What appointments point at, so that they cannot take another account's person.
        UniqueConstraint("id", "account_id"),
        Index("ix_binding_account_id", "account_id"),
        Index("ix_binding_person_id", "person_id"),
        Index(
            "uq_binding_live",
            "account_id",
            unique=True,
            postgresql_where=text("bound_at IS NOT NULL AND ended_at IS NULL"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.person.id"))
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    asked_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    bound_at: Mapped[datetime | None]
    # Replaced by another one, ended by the person, or the person or account was erased.
    ended_at: Mapped[datetime | None]
