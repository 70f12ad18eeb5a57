"""What a POST answered before, so that its retry gets the same answer."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base


class IdempotentAnswer(Base):
    """An accepted request by (principal, operation, key); refusals are never stored."""

    __tablename__ = "idempotent_answer"
    __table_args__ = (Index("ix_idempotent_answer_created_at", "created_at"), {"schema": "web"})

    # sha256 of principal, operation and key: the key itself may be guessable, the row is not.
    key_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    # Whose answer it is: it may show a name, and goes with the account.
    account_id: Mapped[UUID | None]
    # The door's name in the application, which begins with its blueprint's.
    endpoint: Mapped[str | None] = mapped_column(String(120))
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    location: Mapped[str | None] = mapped_column(String(500))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
