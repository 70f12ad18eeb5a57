"""Tables of the counter room. What is asked, the evidence and the reason are sealed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from citizen_cloud.db import Base

SCHEMA = {"schema": "counter"}
NEW_ID = text("uuidv7()")


class Case(Base):
    """Something two people decide about a person; the second decides, never who asked.

    ``organisation_id`` is empty while a citizen's own wish waits for the counter that takes it up.
    """

    __tablename__ = "case"
    __table_args__ = (
        CheckConstraint("kind IN ('recovery','name_correction','enrolment')", name="kind"),
        CheckConstraint("asked_by IN ('staff','citizen')", name="asked_by"),
        CheckConstraint(
            "status IN ('open','approved','refused','cancelled','expired')", name="status"
        ),
        CheckConstraint("(status = 'open') = (decided_at IS NULL)", name="ended"),
        # One person alone moves nobody's account, whatever the code above forgets.
        CheckConstraint(
            "status NOT IN ('approved','refused') "
            "OR (decided_by IS NOT NULL AND decided_by <> opened_by)",
            name="second_person",
        ),
        CheckConstraint(
            "status NOT IN ('approved','refused') OR organisation_id IS NOT NULL", name="counter"
        ),
        CheckConstraint(
            "expires_at <= opened_at + CASE asked_by WHEN 'staff' THEN interval '24 hours' "
            "ELSE interval '7 days' END",
            name="life",
        ),
        Index("ix_case_organisation", "organisation_id", "id"),
        Index("ix_case_person", "person_id"),
        Index("ix_case_due", "expires_at", postgresql_where=text("status = 'open'")),
        # Two cases of one kind about one person cannot be approved one after the other. Enrolments
        # may: a refusal here would tell that the document's holder is known.
        Index(
            "uq_case_open",
            "kind",
            "person_id",
            unique=True,
            postgresql_where=text("status = 'open' AND kind <> 'enrolment'"),
        ),
        SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=NEW_ID)
    kind: Mapped[str] = mapped_column(String(16))
    organisation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("organisations.organisation.id")
    )
    # Empty for an enrolment of somebody unknown, and once the person is erased
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.person.id"))
    asked_by: Mapped[str] = mapped_column(String(16))
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.account.id"))
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # JSON of what is wished for: a phone, a name, a document; forgotten 90 days after the end
    asked_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    evidence_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(String(16), server_default=text("'open'"))
    # Who approved, refused or cancelled, and when; an expired case has no one.
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.account.id"))
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
