"""Who works where, and who was asked to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.organisations.models.columns import CREATED, NEW_ID, SCHEMA

KIND_OF_ROLE = (
    "CASE WHEN ended_at IS NULL THEN CASE role WHEN 'admin' THEN 'admin' ELSE 'staff' END END"
)


class Membership(Base):
    """An account's role at one organisation, or on the whole platform where that is empty.

    Who looks after the platform serves nobody: the role decides the kind its account must have,
    and a key on both holds it. A trigger keeps auditors from every other role.
    """

    __tablename__ = "membership"
    __table_args__ = (
        CheckConstraint(
            "(role IN ('admin','auditor')) = (organisation_id IS NULL)", name="role_scope"
        ),
        CheckConstraint("role IN ('staff','manager','admin','auditor')", name="role"),
        ForeignKeyConstraint(
            ["account_id", "account_kind"],
            ["accounts.account.id", "accounts.account.kind"],
            name="fk_membership_account_kind",
        ),
        Index(
            "uq_membership_live",
            "account_id",
            text("coalesce(organisation_id, '00000000-0000-0000-0000-000000000000')"),
            "role",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_membership_organisation", "organisation_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    # The kind a living role asks for; an ended one asks for nothing.
    account_kind: Mapped[str | None] = mapped_column(
        String(16), Computed(KIND_OF_ROLE, persisted=True)
    )
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisations.organisation.id")
    )
    role: Mapped[str] = mapped_column(String(16))
    granted_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    ended_at: Mapped[datetime | None]


class Invitation(Base):
    """A role that waits for somebody with a code; good for three days and one acceptance."""

    __tablename__ = "invitation"
    __table_args__ = (
        CheckConstraint("role IN ('staff','manager')", name="role"),
        Index("ix_invitation_organisation", "organisation_id", "id"),
        Index("ix_invitation_account", "account_id"),
        Index("ix_invitation_invited_by", "invited_by"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    role: Mapped[str] = mapped_column(String(16))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    display_name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # Empty for the system itself.
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    # Who took the role.
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
