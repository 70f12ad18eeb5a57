"""What clients asked for, what citizens agreed to, and what was given for it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.oidc.models.columns import CREATED, NEW_ID, SCHEMA


class Request(Base):
    """An authorization request that waits for a citizen; it is over after ten minutes.

    Its id goes through a browser and is 128 random bits, unlike the ids of other tables.
    """

    __tablename__ = "request"
    __table_args__ = (Index("ix_request_account", "account_id"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oidc.client.id"))
    redirect_uri: Mapped[str] = mapped_column(String(500))
    state: Mapped[str | None] = mapped_column(String(2000))
    nonce: Mapped[str | None] = mapped_column(String(2000))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    code_challenge: Mapped[str] = mapped_column(String(43))
    # Whether the citizen has to show factors again, or how old they may be
    login: Mapped[bool] = mapped_column(server_default=text("false"))
    max_age_s: Mapped[int | None]
    level: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    # The first account that opens it; to every other one it is not there.
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    decided_at: Mapped[datetime | None]


class Consent(Base):
    """A citizen's yes to one client, for some scopes; withdrawing keeps the row."""

    __tablename__ = "consent"
    __table_args__ = (
        Index(
            "uq_consent_live",
            "account_id",
            "client_id",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("ix_consent_client", "client_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oidc.client.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    granted_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    changed_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    withdrawn_at: Mapped[datetime | None]


class Issuance(Base):
    """One sign-in at a partner: its code, and the family of tokens the code gave.

    Revoking the row ends all of them.
    """

    __tablename__ = "issuance"
    __table_args__ = (
        CheckConstraint("level BETWEEN 1 AND 3", name="level"),
        Index("ix_issuance_account", "account_id"),
        Index("ix_issuance_consent", "consent_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oidc.client.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    consent_id: Mapped[UUID] = mapped_column(ForeignKey("oidc.consent.id"))
    # The person behind the account where the sign-in had proven one: no other one is ever shown.
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.person.id"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    level: Mapped[int] = mapped_column(SmallInteger)
    amr: Mapped[str] = mapped_column(String(32))
    auth_time: Mapped[datetime]
    nonce: Mapped[str | None] = mapped_column(String(2000))
    redirect_uri: Mapped[str] = mapped_column(String(500))
    code_challenge: Mapped[str] = mapped_column(String(43))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    code_expires_at: Mapped[datetime]
    code_used_at: Mapped[datetime | None]
    refresh_number: Mapped[int | None]
    refresh_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    rotated_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    # code_replayed | refresh_reused | revoked | logged_out | withdrawn | erased | recovered |
    # suspended
    revoked_because: Mapped[str | None] = mapped_column(String(32))


class Token(Base):
    """An access token, by its hash: of an issuance, or of a service client itself."""

    __tablename__ = "token"
    __table_args__ = (
        Index("ix_token_issuance", "issuance_id"),
        Index("ix_token_client", "client_id"),
        Index("ix_token_expires_at", "expires_at"),
        SCHEMA,
    )

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oidc.client.id"))
    issuance_id: Mapped[UUID | None] = mapped_column(ForeignKey("oidc.issuance.id"))
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
