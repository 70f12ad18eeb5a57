"""Write down who looks at a person's data, in the same transaction as the look."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

Basis = Literal["booking", "case", "link", "consent", "none"]
Outcome = Literal["read", "changed", "refused"]


@dataclass(frozen=True, kw_only=True)
class Look:
    """Who looked at what of whom, and by which right.

    ``categories`` are words the person will read: name, document, birth_date, phone, bookings.
    ``basis`` is what made it rightful: an open booking or case at the reader's organisation, a
    link to a dependant, the person's own consent.
    """

    person_id: UUID
    reader_kind: str
    reader_id: UUID | None
    purpose: str
    categories: tuple[str, ...]
    basis_type: Basis
    basis_id: UUID | None = None
    organisation_id: UUID | None = None
    outcome: Outcome = "read"


_NOTE = text(
    """
    INSERT INTO accounts.data_access
           (person_id, at, reader_kind, reader_id, organisation_id, purpose, categories,
            basis_type, basis_id, outcome)
    VALUES (:person_id, coalesce(:now, statement_timestamp()), :reader_kind, :reader_id,
            :organisation_id, :purpose, :categories, :basis_type, :basis_id, :outcome)
    """
)


def note_access(session: Session | Connection, look: Look, *, now: datetime | None = None) -> None:
    """Record one look; the person finds it under ``GET /me/data-access``."""
    facts = {**asdict(look), "categories": list(look.categories), "now": now}
    session.execute(_NOTE, facts)
