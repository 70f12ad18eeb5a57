"""Clients, their secrets, and the keys that sign what they are told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.oidc.models.columns import CREATED, NEW_ID, NONE_YET, SCHEMA


class Client(Base):
    """A partner's site or app that signs citizens in, or a system that acts by itself.

    ``web`` and ``service`` keep a secret; ``native`` and ``h5`` cannot. A service has an account
    of its own, under which its deeds are written down.
    """

    __tablename__ = "client"
    __table_args__ = (
        CheckConstraint("type IN ('web','native','h5','service')", name="type"),
        CheckConstraint("status IN ('active','suspended')", name="status"),
        CheckConstraint("(type = 'service') = (account_id IS NOT NULL)", name="service_account"),
        CheckConstraint("id_token_alg IN ('RS256','ES256')", name="id_token_alg"),
        Index("ix_client_organisation", "organisation_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    type: Mapped[str] = mapped_column(String(16))
    name: Mapped[dict[str, str]]
    # Why it asks for what it asks for, in words for citizens
    purpose: Mapped[dict[str, str]]
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"), unique=True)
    # An organisation's clients of one sector see one subject for a citizen; no others can compare.
    sector: Mapped[str] = mapped_column(String(253))
    redirect_uris: Mapped[list[str]] = mapped_column(ARRAY(String(500)), server_default=NONE_YET)
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(
        ARRAY(String(500)), server_default=NONE_YET
    )
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(64)))
    id_token_alg: Mapped[str] = mapped_column(String(8), server_default=text("'RS256'"))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'active'"))
    # When it was last let in again: what it was given before that is over for good.
    active_since: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)


class ClientSecret(Base):
    """A secret a client proves itself with; 256 random bits, so its plain hash is enough."""

    __tablename__ = "client_secret"
    __table_args__ = (Index("ix_client_secret_client", "client_id"), SCHEMA)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oidc.client.id"))
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    # Empty for the present one; the one before it is still taken for a day.
    expires_at: Mapped[datetime | None]


class SigningKey(Base):
    """A key pair of the provider: shown before it signs, and after, until what it signed is over.

    Every process reads them here, so that all change over together.
    """

    __tablename__ = "signing_key"
    __table_args__ = (CheckConstraint("alg IN ('RS256','ES256')", name="alg"), SCHEMA)

    kid: Mapped[str] = mapped_column(String(32), primary_key=True)
    alg: Mapped[str] = mapped_column(String(8))
    public_jwk: Mapped[dict[str, Any]]
    private_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    active_from: Mapped[datetime]
    retires_at: Mapped[datetime | None]
