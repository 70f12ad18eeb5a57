"""Write a person's new name; id, quota key and bookings stay theirs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import name_place
from citizen_cloud.accounts.services.officials import Official, act_of
from citizen_cloud.audit.services import record
from citizen_cloud.errors import NotFound

_READ = text(
    "SELECT name_sealed FROM accounts.person WHERE id = :id AND erased_at IS NULL FOR UPDATE"
)
_WRITE = text(
    """
    UPDATE accounts.person
       SET name_sealed = :name_sealed, verified_by = :verified_by,
           verified_at = coalesce(:now, statement_timestamp())
     WHERE id = :id
    """
)


def name_known(session: Session, *, person_id: UUID) -> str:
    """Return a person's present name. Raises ``NotFound`` for somebody erased."""
    sealed = session.scalar(_READ, {"id": person_id})
    if sealed is None:
        raise NotFound
    return crypto.current().open(sealed, place=name_place(person_id))


def correct_name(
    session: Session,
    *,
    person_id: UUID,
    name: str,
    verified_by: str,
    official: Official,
    now: datetime | None = None,
) -> str:
    """Replace a name that a verifier compared with the document; return the old one.

    The person is the same: what was booked, and which quota was used, stays theirs.
    """
    old = name_known(session, person_id=person_id)
    sealed = crypto.current().seal(name, place=name_place(person_id))
    facts = {"id": person_id, "name_sealed": sealed, "verified_by": verified_by, "now": now}
    session.execute(_WRITE, facts)
    record(session, act_of(official, "name_corrected", "person", person_id))
    return old
