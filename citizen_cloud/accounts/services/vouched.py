"""A document that another authority vouches for: whose account it is, if anybody's.

Number and name must both match, and an answer never says which of them did not.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import name_place
from citizen_cloud.accounts.rules import names
from citizen_cloud.accounts.services.real_name import Claim

_HOLDER = text(
    """
    SELECT a.id AS account_id, p.id AS person_id, p.name_sealed
      FROM accounts.person p
      JOIN accounts.account a ON a.person_id = p.id AND a.kind = 'citizen' AND a.status = 'active'
     WHERE p.person_key = :key AND p.erased_at IS NULL
    """
)
_DOCUMENT = text(
    """
    SELECT p.document_type, p.person_key
      FROM accounts.account a JOIN accounts.person p ON p.id = a.person_id WHERE a.id = :id
    """
)


def person_key(claim: Claim) -> bytes:
    """Return the key of the person whose document this is, known here or not."""
    return crypto.current().person_key(claim.document_type, claim.matching_number)


def account_of(session: Session, *, claim: Claim) -> UUID | None:
    """Return the active account of the person with this document and name; None in any doubt."""
    row = session.execute(_HOLDER, {"key": person_key(claim)}).mappings().first()
    if row is None:
        return None
    known = crypto.current().open(row["name_sealed"], place=name_place(row["person_id"]))
    is_same = names.matching_name(known) == names.matching_name(claim.name)
    account_id: UUID = row["account_id"]
    return account_id if is_same else None


def is_anothers(session: Session, *, account_id: UUID, claim: Claim) -> bool:
    """Return whether the account belongs to the holder of another document of this type.

    Somebody may hold documents of two types, so another type says nothing.
    """
    row = session.execute(_DOCUMENT, {"id": account_id}).mappings().first()
    if row is None or row["document_type"] != claim.document_type:
        return False
    return row["person_key"] is None or bytes(row["person_key"]) != person_key(claim)
