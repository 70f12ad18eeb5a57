"""Tables of the approvals room: who may decide, what was proposed, what was decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "approvals"}
CREATED = text("statement_timestamp()")
NEW_ID = text("uuidv7()")


class Proposal(Base):
    """Something that waits for people of different units.

    A trigger refuses ``applied`` with fewer people of distinct units than needed, and any change
    of what was proposed. What it says is sealed; the digest is what approvers repeat.
    """

    __tablename__ = "proposal"
    __table_args__ = (
        CheckConstraint(
            "status IN ('open','applied','rejected','withdrawn','expired','failed')", name="status"
        ),
        CheckConstraint("(status = 'open') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("approvals_needed >= 2", name="two_at_least"),
        Index("ix_proposal_open", "expires_at", postgresql_where=text("status = 'open'")),
        Index("ix_proposal_proposed_by", "proposed_by"),
        Index("ix_proposal_unit_id", "unit_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    kind: Mapped[str] = mapped_column(String(64))
    # Blanked some time after the end; the digest and the counts stay.
    payload_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    summary: Mapped[dict[str, Any]]
    reason: Mapped[str] = mapped_column(String(64))
    evidence_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    # Empty where a rule asks by itself.
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisations.organisation.id"))
    approvals_needed: Mapped[int]
    status: Mapped[str] = mapped_column(String(16), server_default=text("'open'"))
    outcome: Mapped[dict[str, Any] | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Approver(Base):
    """A person appointed to decide, for one unit; by the machine's owner, or by a proposal.

    The application may end a row and writes none: rights and a trigger hold that.
    """

    __tablename__ = "approver"
    __table_args__ = (
        CheckConstraint("binding_id IS NOT NULL OR ended_at IS NOT NULL", name="is_somebody"),
        ForeignKeyConstraint(
            ["binding_id", "account_id"],
            ["accounts.binding.id", "accounts.binding.account_id"],
            name="fk_approver_binding",
        ),
        UniqueConstraint("id", "account_id", "unit_id"),
        Index(
            "uq_approver_live", "account_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
        Index("ix_approver_account_id", "account_id"),
        Index("ix_approver_unit_id", "unit_id"),
        Index("ix_approver_binding_id", "binding_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    # Whom the account stood for when it was appointed; empty for appointments long over.
    binding_id: Mapped[UUID | None]
    # Empty for the machine itself.
    appointed_by: Mapped[UUID | None] = mapped_column(ForeignKey("approvals.proposal.id"))
    appointed_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    ended_by: Mapped[UUID | None] = mapped_column(ForeignKey("approvals.proposal.id"))
    ended_at: Mapped[datetime | None]


class Decision(Base):
    """One approver's word. Never changed, never taken back; the note alone may be forgotten."""

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint("verdict IN ('approve','reject')", name="verdict"),
        ForeignKeyConstraint(
            ["approver_id", "account_id", "unit_id"],
            [
                "approvals.approver.id",
                "approvals.approver.account_id",
                "approvals.approver.unit_id",
            ],
            name="fk_decision_approver",
        ),
        UniqueConstraint("proposal_id", "account_id"),
        Index(
            "uq_decision_unit",
            "proposal_id",
            "unit_id",
            unique=True,
            postgresql_where=text("verdict = 'approve'"),
        ),
        Index("ix_decision_account_id", "account_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("approvals.proposal.id"))
    approver_id: Mapped[UUID]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    unit_id: Mapped[UUID]
    verdict: Mapped[str] = mapped_column(String(16))
    note_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    decided_at: Mapped[datetime] = mapped_column(server_default=CREATED)
