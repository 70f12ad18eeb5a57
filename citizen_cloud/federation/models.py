"""Tables of the federation room: identities elsewhere, and attempts under way.

A subject is sealed, and found by its blind index; when a link is removed, both go.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "federation"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")


class Identity(Base):
    """Who an account is at a provider. One identity is one account's; an account has one there."""

    __tablename__ = "identity"
    __table_args__ = (
        CheckConstraint(
            "(removed_at IS NULL) = (subject_index IS NOT NULL)"
            " AND (removed_at IS NULL) = (subject_sealed IS NOT NULL)",
            name="forgotten_when_removed",
        ),
        # Two parallel links: one of them wins, whichever side they share.
        Index(
            "uq_identity_subject",
            "provider",
            "subject_index",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index(
            "uq_identity_account",
            "account_id",
            "provider",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index("ix_identity_account", "account_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    # wechat | alipay | oidc
    provider: Mapped[str] = mapped_column(String(16))
    subject_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    subject_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    linked_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    last_used_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class Attempt(Base):
    """A way begun: to the provider (``start``), or to the account it belongs to (``ticket``).

    Whoever uses it takes the row away, so nothing works twice. The token is a random 256-bit
    value of which only the hash is kept.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        CheckConstraint("kind IN ('start','ticket')", name="kind"),
        Index("ix_attempt_expires_at", "expires_at"),
        Index("ix_attempt_account", "account_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    kind: Mapped[str] = mapped_column(String(16))
    provider: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    # start: nonce and PKCE verifier; ticket: the subject
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # Set where a registered device asked for the ticket: only its account may use it.
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    # Set where the provider vouched for a document: only that person may use the ticket.
    person_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
