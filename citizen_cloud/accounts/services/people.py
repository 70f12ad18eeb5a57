"""People as a service counter meets them: by the document on the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import document_place, mask_name, name_place
from citizen_cloud.accounts.rules.names import matching_name
from citizen_cloud.accounts.services import real_name
from citizen_cloud.accounts.services.officials import Official, act_of
from citizen_cloud.accounts.services.real_name import Claim
from citizen_cloud.audit.services import record
from citizen_cloud.errors import NotFound

END = 4


@dataclass(frozen=True, kw_only=True)
class Found:
    """Whose document it is; ``is_named`` tells whether the claimed name is that person's."""

    person_id: UUID
    is_named: bool


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What is kept of a claim that is not: who comes by it can be told, whom it names cannot."""

    person_key: bytes
    name_hash: bytes


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a clerk compares with the document: a masked name and the number's end."""

    name: str
    document_type: str
    document_end: str


_BY_KEY = text(
    "SELECT id, name_sealed FROM accounts.person WHERE person_key = :key AND erased_at IS NULL"
)
# As a foreign key holds them: whoever is being erased is waited for, and found no more.
_BY_KEYS = text(
    """
    SELECT id, person_key, name_sealed FROM accounts.person
     WHERE person_key = ANY(:keys) AND erased_at IS NULL ORDER BY id FOR KEY SHARE
    """
)
_CARD = text(
    """
    SELECT id, document_type, document_sealed, name_sealed FROM accounts.person
     WHERE id = :id AND erased_at IS NULL
    """
)
_CARDS = text(
    """
    SELECT id, document_type, document_sealed, name_sealed FROM accounts.person
     WHERE id = ANY(:ids) AND erased_at IS NULL
    """
)
# A level is never lowered: whoever was seen in person stays seen.
_RAISE = text(
    """
    UPDATE accounts.person
       SET level = :level, verified_at = coalesce(:now, statement_timestamp())
     WHERE id = :id AND level < :level
    """
)


def find(session: Session, *, claim: Claim) -> Found | None:
    """Return whose document this is, and whether the name is theirs; both must be known.

    For a counter, where the document lies on the table; what it finds is not told to anybody who
    did not know the name.
    """
    row = session.execute(_BY_KEY, {"key": real_name.key_of(claim)}).first()
    if row is None:
        return None
    known = crypto.current().open(row.name_sealed, place=name_place(row.id))
    return Found(person_id=row.id, is_named=matching_name(known) == matching_name(claim.name))


def find_all(session: Session, *, claims: Sequence[Claim]) -> list[UUID | None]:
    """Return for each claim whose document and name it is, in one statement; None for nobody's.

    A wrong name and an unknown document look the same.
    """
    return find_traced(session, traces=[trace_of(claim) for claim in claims])


def trace_of(claim: Claim) -> Trace:
    """Return what finds the person of a claim later, without the claim."""
    return Trace(person_key=real_name.key_of(claim), name_hash=_name_hash(claim.name))


def find_traced(session: Session, *, traces: Sequence[Trace]) -> list[UUID | None]:
    """Return as ``find_all`` does whose document and name each was.

    Whoever is found is not erased before the transaction ends, so what is written of them goes
    with them.
    """
    keys = {trace.person_key for trace in traces}
    rows = session.execute(_BY_KEYS, {"keys": list(keys)}) if keys else ()
    rings = crypto.current()
    known = {
        (
            bytes(row.person_key),
            _name_hash(rings.open(row.name_sealed, place=name_place(row.id))),
        ): row.id
        for row in rows
    }
    return [known.get((trace.person_key, trace.name_hash)) for trace in traces]


def _name_hash(name: str) -> bytes:
    return crypto.current().lasting_hash("accounts.name", matching_name(name))


def card(session: Session, *, person_id: UUID) -> Card | None:
    """Return what may be compared with a document; None for somebody erased."""
    found = session.execute(_CARD, {"id": person_id}).first()
    if found is None:
        return None
    rings = crypto.current()
    number = rings.open(found.document_sealed, place=document_place(person_id))
    name = rings.open(found.name_sealed, place=name_place(person_id))
    return card_of(Claim(document_type=found.document_type, number=number, name=name))


def cards(session: Session, *, person_ids: Sequence[UUID]) -> dict[UUID, Card]:
    """Return the cards of several people in one statement; none of who was erased."""
    if not person_ids:
        return {}
    rings = crypto.current()
    return {
        row.id: card_of(
            Claim(
                document_type=row.document_type,
                number=rings.open(row.document_sealed, place=document_place(row.id)),
                name=rings.open(row.name_sealed, place=name_place(row.id)),
            )
        )
        for row in session.execute(_CARDS, {"ids": list(person_ids)})
    }


def card_of(claim: Claim) -> Card:
    """Return the card of a document that lies on the table."""
    return Card(
        name=mask_name(claim.name),
        document_type=claim.document_type,
        document_end=claim.number[-END:],
    )


def renamed(session: Session, *, person_id: UUID, name: str) -> Claim:
    """Return a person's own document with another name, for the verifier. Raises ``NotFound``."""
    found = session.execute(_CARD, {"id": person_id}).first()
    if found is None:
        raise NotFound
    number = crypto.current().open(found.document_sealed, place=document_place(person_id))
    return Claim(document_type=found.document_type, number=number, name=name)


def seen_in_person(session: Session, *, person_id: UUID, now: datetime | None = None) -> None:
    """Raise a person to level 3: staff compared the document with the face."""
    session.execute(_RAISE, {"id": person_id, "level": real_name.LEVEL_IN_PERSON, "now": now})


def enrol_in_person(
    session: Session,
    *,
    claim: Claim,
    verified_by: str,
    official: Official,
    now: datetime | None = None,
) -> UUID:
    """Make the holder of a verified document a person of level 3, and return who it is.

    The one enrolment there is, by two members of staff: in a case, or with a family link. No
    account and no phone belong to it; who has an account already keeps it. The same document is
    the same person however often. Raises ``RealNameMismatch`` when the person is known by another
    name.
    """
    person_id = real_name.holder_of(session, claim=claim, verified_by=verified_by, now=now)
    seen_in_person(session, person_id=person_id, now=now)
    record(session, act_of(official, "enrolled_in_person", "person", person_id))
    return person_id
