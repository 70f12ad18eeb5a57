"""Tables of the families room."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "families"}
LIVE = "status IN ('pending','active')"


class Link(Base):
    """One person acts, or asks to act, for another.

    Both are named by their quota keys, which never change: so a request may be about somebody
    nobody here knows yet, and its row looks the same. ``represented_id`` is filled in once the
    person is known. Who asked sees ``name_sealed``, the name he gave.
    """

    __tablename__ = "link"
    __table_args__ = (
        CheckConstraint("relation IN ('child','elder','disabled','adult')", name="relation"),
        CheckConstraint(
            "status IN ('pending','active','refused','revoked','expired')", name="status"
        ),
        CheckConstraint(
            "agreed_by IS NULL OR agreed_by IN ('own_account','guardian','counter')",
            name="agreed_by",
        ),
        CheckConstraint("status <> 'active' OR represented_id IS NOT NULL", name="known"),
        CheckConstraint("acting_key <> represented_key", name="two_people"),
        # One clerk alone gives nobody power over anybody, whatever the code above forgets.
        CheckConstraint(
            "agreed_by IS DISTINCT FROM 'counter' OR (attested_by IS NOT NULL "
            "AND decided_by IS NOT NULL AND attested_by <> decided_by)",
            name="second_clerk",
        ),
        # One live link, or request, of a pair: two racing requests cannot both be written.
        Index(
            "uq_link_live",
            "acting_id",
            "represented_key",
            unique=True,
            postgresql_where=text(LIVE),
        ),
        # Nor can two people act for each other. A request nobody gets to see hinders nobody.
        Index(
            "uq_link_pair",
            text("least(acting_key, represented_key)"),
            text("greatest(acting_key, represented_key)"),
            unique=True,
            postgresql_where=text("status IN ('pending','active') AND is_credible"),
        ),
        Index("ix_link_acting", "acting_id", "id"),
        Index("ix_link_represented", "represented_key", "id"),
        Index("ix_link_represented_id", "represented_id"),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    acting_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.person.id"))
    acting_key: Mapped[bytes] = mapped_column(LargeBinary)
    represented_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.person.id"))
    represented_key: Mapped[bytes] = mapped_column(LargeBinary)
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    relation: Mapped[str] = mapped_column(String(16))
    # Names of modules, and "messages".
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(32)))
    status: Mapped[str] = mapped_column(String(16), server_default=text("'pending'"))
    # Whether name and document belong together; if not, nobody but the asker ever sees it.
    is_credible: Mapped[bool]
    agreed_by: Mapped[str | None] = mapped_column(String(16))
    decided_by: Mapped[UUID | None]
    # The first of the two clerks who saw the documents; the second one decided.
    attested_by: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisations.organisation.id")
    )
    evidence_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    requested_at: Mapped[datetime] = mapped_column(server_default=text("statement_timestamp()"))
    # Until when a request can be answered.
    answer_by: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    # Counted by time wherever the right is asked for; the job only tidies the status.
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    end_evidence_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
