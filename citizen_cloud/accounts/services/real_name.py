"""The real-name step: a document and the name on it make a citizen a person.

One document is one person, whatever the phone. A phone number changes hands, so a document is
proven per *device*: whoever signs in to a proven account from another device stands at level 1
until the same document is shown there.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import document_place, mask_name, name_place
from citizen_cloud.accounts.refusals import (
    AccountHasPerson,
    DocumentInUse,
    IdNumberInvalid,
    NameInvalid,
    RealNameMismatch,
)
from citizen_cloud.accounts.rules import documents, names
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.web.step_up import FRESH_FOR

LEVEL = 2
LEVEL_IN_PERSON = 3


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A document and a name in their stored forms, not yet compared with anything."""

    document_type: str
    number: str
    name: str

    @property
    def matching_number(self) -> str:
        """Return what stands for the person whatever the document's age."""
        return documents.matching_number(self.document_type, self.number) or self.number


@dataclass(frozen=True, kw_only=True)
class Proven:
    """Who the account now belongs to."""

    person_id: UUID
    name: str
    # 3 for who was seen in person before
    level: int

    def shown(self) -> dict[str, object]:
        """Return it as the citizen sees it; the name is masked."""
        return {"person_id": self.person_id, "name": self.name, "level": self.level}


def claim(*, document_type: str, number: str, name: str, today: date) -> Claim:
    """Judge the form of both. Raises ``IdNumberInvalid`` or ``NameInvalid`` with the part."""
    try:
        stored = documents.document_number(document_type, number, today=today)
        kept = names.real_name(name)
    except documents.DocumentFault as fault:
        fact = {"pointer": "/document_number", "code": "id_number_invalid"}
        raise IdNumberInvalid(part=fault.part, errors=[fact]) from None
    except names.NameFault as fault:
        fact = {"pointer": "/name", "code": "name_invalid"}
        raise NameInvalid(part=fault.part, errors=[fact]) from None
    return Claim(document_type=document_type, number=stored, name=kept)


_ACCOUNT = text("SELECT person_id FROM accounts.account WHERE id = :id FOR UPDATE")
_PERSON = text("SELECT id, person_key, name_sealed, level FROM accounts.person WHERE id = :id")
# Without a named index: whoever races for the same document meets it in either of the two unique
# ones, and a conflict in the one that is not named would be an error.
_CLAIM = text(
    """
    INSERT INTO accounts.person
           (id, document_type, document_sealed, document_index, name_sealed, person_key, level,
            verified_by, verified_at)
    VALUES (:id, :document_type, :document_sealed, :document_index, :name_sealed, :person_key,
            :level, :verified_by, coalesce(:now, statement_timestamp()))
    ON CONFLICT DO NOTHING
    """
)
_CLAIMED = text(
    "SELECT id, person_key, name_sealed, level FROM accounts.person "
    "WHERE person_key = :key FOR UPDATE"
)
_HOLDER = text("SELECT 1 FROM accounts.account WHERE person_id = :person_id AND status <> 'closed'")
_LOWER = text("UPDATE accounts.person SET level = :level WHERE id = :person_id")
_BIND = text("UPDATE accounts.account SET person_id = :person_id WHERE id = :id")
_PROVE = text(
    """
    UPDATE accounts.device
       SET proven_at = CASE WHEN :is_fresh THEN t ELSE coalesce(proven_at, t - :fresh_for) END
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
     WHERE id = :id AND account_id = :account_id AND removed_at IS NULL
    """
)


def prove(
    session: Session,
    *,
    account_id: UUID,
    device_id: UUID,
    claim: Claim,
    verified_by: str,
    is_fresh: bool = True,
    now: datetime | None = None,
) -> Proven:
    """Bind a verified claim to the account, or confirm it on a further device.

    ``is_fresh=False`` where nobody showed anything just now: another service vouched silently, so
    what asks for the document itself still does.

    Raises ``DocumentInUse`` (the same whoever holds it), ``AccountHasPerson`` when the account
    belongs to another document, ``RealNameMismatch`` when the person is known by another name.
    """
    bound_to = session.scalar(_ACCOUNT, {"id": account_id})
    if bound_to is None:
        person = _bind(session, account_id, claim, verified_by, now)
    else:
        person = session.execute(_PERSON, {"id": bound_to}).mappings().one()
        if bytes(person["person_key"]) != key_of(claim):
            raise AccountHasPerson
        _check_name(person, claim)
    shown = {"is_fresh": is_fresh, "fresh_for": FRESH_FOR, "now": now}
    session.execute(_PROVE, {"id": device_id, "account_id": account_id, **shown})
    verb = "real_name_proven" if bound_to is None else "real_name_confirmed"
    record(session, _act(verb, account_id, person["id"], device_id, verified_by))
    return Proven(person_id=person["id"], name=mask_name(claim.name), level=person["level"])


def _bind(
    session: Session, account_id: UUID, claim: Claim, verified_by: str, now: datetime | None
) -> RowMapping:
    session.execute(_CLAIM, {**_sealed(claim), "verified_by": verified_by, "now": now})
    found = session.execute(_CLAIMED, {"key": key_of(claim)}).mappings().one()
    # A new statement, so that it sees what the lock waited for.
    if session.scalar(_HOLDER, {"person_id": found["id"]}) is not None:
        raise DocumentInUse
    _check_name(found, claim)
    session.execute(_BIND, {"id": account_id, "person_id": found["id"]})
    if found["level"] > LEVEL:
        # Who was here in person need not be who holds this phone: that takes a counter again.
        session.execute(_LOWER, {"person_id": found["id"], "level": LEVEL})
    return found


def holder_of(
    session: Session, *, claim: Claim, verified_by: str, now: datetime | None = None
) -> UUID:
    """Return the person of a verified document, without any account; an unknown one is made.

    At level 2, as by the real-name step. Raises ``RealNameMismatch`` for a person known by another
    name.
    """
    session.execute(_CLAIM, {**_sealed(claim), "verified_by": verified_by, "now": now})
    found = session.execute(_CLAIMED, {"key": key_of(claim)}).mappings().one()
    _check_name(found, claim)
    person_id: UUID = found["id"]
    return person_id


def _sealed(claim: Claim) -> dict[str, object]:
    rings, person_id = crypto.current(), new_id()
    return {
        "id": person_id,
        "document_type": claim.document_type,
        "document_sealed": rings.seal(claim.number, place=document_place(person_id)),
        "document_index": rings.lookup("document:" + claim.document_type, claim.matching_number),
        "name_sealed": rings.seal(claim.name, place=name_place(person_id)),
        "person_key": key_of(claim),
        "level": LEVEL,
    }


def key_of(claim: Claim) -> bytes:
    """Return the quota key, by which a person is found whatever the document's age."""
    return crypto.current().person_key(claim.document_type, claim.matching_number)


def _check_name(person: RowMapping, claim: Claim) -> None:
    known = crypto.current().open(person["name_sealed"], place=name_place(person["id"]))
    if names.matching_name(known) != names.matching_name(claim.name):
        raise RealNameMismatch


def _act(verb: str, account_id: UUID, person_id: UUID, device_id: UUID, verified_by: str) -> Act:
    return Act(
        actor_kind="citizen",
        actor_id=account_id,
        action=f"accounts.{verb}",
        object_type="person",
        object_id=person_id,
        payload={"device_id": device_id, "verified_by": verified_by},
    )
