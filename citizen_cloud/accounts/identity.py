"""The person behind an account: opened only where somebody needs to see it, masked by default."""

import unicodedata
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.rules import documents
from citizen_cloud.web.caller import Identity


def phone_place(account_id: UUID) -> str:
    """Return what binds a sealed phone to its row."""
    return f"accounts.account:phone:{account_id}"


def display_name_place(account_id: UUID) -> str:
    """Return what binds a staff member's sealed name to its row."""
    return f"accounts.account:display_name:{account_id}"


def totp_place(account_id: UUID) -> str:
    """Return what binds a sealed second factor to its row."""
    return f"accounts.account:totp:{account_id}"


def device_name_place(device_id: UUID) -> str:
    """Return what binds a device's sealed name to its row."""
    return f"accounts.device:name:{device_id}"


def next_totp_place(account_id: UUID) -> str:
    """Return what binds a sealed authenticator that is not confirmed yet to its row."""
    return f"accounts.account:next_totp:{account_id}"


def document_place(person_id: UUID) -> str:
    """Return what binds a sealed document number to its row."""
    return f"accounts.person:document:{person_id}"


def name_place(person_id: UUID) -> str:
    """Return what binds a sealed name to its row."""
    return f"accounts.person:name:{person_id}"


def name_of(identity: Identity) -> str:
    """Return the full name; for counters that compare it with a document."""
    return crypto.current().open(identity.name_sealed, place=name_place(identity.person_id))


def masked_name(identity: Identity) -> str:
    """Return the name as others may see it."""
    return mask_name(name_of(identity))


def document_number(identity: Identity) -> str:
    """Return the document number; callers record why they look (audit)."""
    place = document_place(identity.person_id)
    return crypto.current().open(identity.document_sealed, place=place)


def birth_on(identity: Identity) -> date | None:
    """Return the birth date a document number tells; None where it tells none."""
    return documents.birth_on(identity.document_type, document_number(identity))


def mask_name(name: str) -> str:
    """Return a name with its middle hidden: ``王小明`` → ``王*明``, ``王明`` → ``王*``."""
    shown = unicodedata.normalize("NFC", name)
    if len(shown) <= 2:  # noqa: PLR2004 - a family name and one more character
        return shown[:1] + "*"
    return shown[0] + "*" * (len(shown) - 2) + shown[-1]


_NAMES = text("SELECT id, name_sealed FROM accounts.person WHERE id = ANY(:ids)")
_BY_KEY = text("SELECT id FROM accounts.person WHERE person_key = ANY(:keys) AND erased_at IS NULL")


def masked_names(session: Session, person_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return masked names by person in one statement; erased people have none."""
    if not person_ids:
        return {}
    rings = crypto.current()
    return {
        row.id: mask_name(rings.open(row.name_sealed, place=name_place(row.id)))
        for row in session.execute(_NAMES, {"ids": list(person_ids)})
        if row.name_sealed is not None
    }


def people_by_document(session: Session, document_type: str | None, number: str) -> frozenset[UUID]:
    """Return whose document this is; without a type every type is tried. 15 digits match 18.

    Documents of two types may bear one number, so there may be several people. For a counter,
    where the document lies on the table; never for a citizen's route.
    """
    rings = crypto.current()
    types = documents.DOCUMENT_TYPES if document_type is None else (document_type,)
    keys = [
        rings.person_key(kind, matching)
        for kind in types
        if (matching := documents.matching_number(kind, number)) is not None
    ]
    return frozenset(session.scalars(_BY_KEY, {"keys": keys})) if keys else frozenset()
