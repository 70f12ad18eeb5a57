"""Authority systems that report facts, and what they sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base
from citizen_cloud.modules.health_code.models.columns import CREATED, NEW_ID, SCHEMA


class Source(Base):
    """A system whose signed reports count: two approvers said so, and which kinds, how many."""

    __tablename__ = "source"
    __table_args__ = (
        CheckConstraint("algorithm IN ('Ed25519','ES256')", name="algorithm"),
        CheckConstraint("status IN ('active','retired')", name="status"),
        CheckConstraint("cap_per_hour > 0", name="cap"),
        # Neither a second cap for one system, nor one key for two.
        Index(
            "uq_source_account",
            "account_id",
            unique=True,
            postgresql_where=text("status = 'active'"),
        ),
        Index("uq_source_public_key", "public_key", unique=True),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    # The system's own account (``oidc.client``), never a person's
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("organisations.organisation.id"))
    name: Mapped[dict[str, str]]
    algorithm: Mapped[str] = mapped_column(String(8))
    # 32 bytes of Ed25519, or the 33 of a compressed P-256 point
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(String(16)))
    cap_per_hour: Mapped[int]
    area_code: Mapped[str | None] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'active'"))
    # The proposals that were agreed to
    registered_in: Mapped[UUID]
    retired_in: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    retired_at: Mapped[datetime | None]


class Batch(Base):
    """What a source sent under one of its own ids. ``report`` names rows by number only.

    ``rows_sealed`` is there only until the people of the rows are looked up: a moment after the
    answer, or when the two approvers of a batch above the cap let it pass.
    """

    __tablename__ = "batch"
    __table_args__ = (
        CheckConstraint(
            "status IN ('received','applied','waiting','released','refused')", name="status"
        ),
        CheckConstraint(
            "(status IN ('received','waiting')) = (rows_sealed IS NOT NULL)", name="rows"
        ),
        CheckConstraint("status <> 'released' OR proposal_id IS NOT NULL", name="approval"),
        CheckConstraint("rows_in = accepted + rejected", name="every_row"),
        Index("uq_batch_reference", "source_id", "reference", unique=True),
        Index("ix_batch_hour", "source_id", "received_at"),
        Index("ix_batch_proposal", "proposal_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    source_id: Mapped[UUID] = mapped_column(ForeignKey("health_code.source.id"))
    # The source's own name for it
    reference: Mapped[str] = mapped_column(String(64))
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    rows_in: Mapped[int]
    accepted: Mapped[int]
    rejected: Mapped[int]
    report: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    rows_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # How many of the accepted named nobody here then. For auditors alone
    unplaced: Mapped[int] = mapped_column(server_default=text("0"))
    proposal_id: Mapped[UUID | None]
    received_at: Mapped[datetime] = mapped_column(server_default=CREATED)
    decided_at: Mapped[datetime | None]


class Unplaced(Base):
    """A reported fact of nobody who is here: until the person comes, fourteen days at most."""

    __tablename__ = "unplaced"
    __table_args__ = (
        Index("ix_unplaced_person_key", "person_key"),
        Index("ix_unplaced_created_at", "created_at"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("health_code.batch.id"))
    # As ``accounts.person`` has it: a keyed hash of the document
    person_key: Mapped[bytes] = mapped_column(LargeBinary)
    fact_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=CREATED)
