"""Ask to act for somebody: the answer is the same whoever, and whether, that is.

Known or not, with an account or without, child or adult: the same statements run and the same
row is written. Who the request concerns is found out later, by a job (``notices``).
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import name_place
from citizen_cloud.accounts.rules import documents
from citizen_cloud.accounts.rules.names import matching_name
from citizen_cloud.accounts.services.real_name import Claim, key_of
from citizen_cloud.db import new_id
from citizen_cloud.families import rules
from citizen_cloud.families.refusals import AskedTooOften, ProxySelf, RelationMismatch
from citizen_cloud.families.services import writing
from citizen_cloud.families.services.writing import Author, NewLink
from citizen_cloud.jobs.services import announce
from citizen_cloud.web.caller import Identity

ASKED = "families.asked"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants to do for another, and until when."""

    relation: str
    scopes: list[str]
    expires_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who asks, about whom, and what the verifier said of name and document.

    A request by a wrong name is written too, and nobody but the asker ever sees it.
    """

    asker: Identity
    account_id: UUID
    claim: Claim
    is_match: bool
    wish: Wish


_ASKED = text(
    """
    SELECT count(*) FILTER (WHERE represented_key = :key AND requested_at > :month_ago) AS again,
           count(*) FILTER (WHERE requested_at > :day_ago) AS today
      FROM families.link WHERE acting_id = :acting_id AND requested_at > :month_ago
    """
)
_KNOWN_NAME = text(
    "SELECT id, name_sealed FROM accounts.person WHERE person_key = :key AND erased_at IS NULL"
)


def ask(session: Session, *, request: Request, now: datetime) -> UUID:
    """Write a request and return its id.

    Raises ``ProxySelf``, ``RelationMismatch``, ``DependantsFull``, ``AskedTooOften``,
    ``AlreadyLinked`` and ``ProxyCycle``, which depend only on what the asker knows: his own
    links, and the requests that lie before him.
    """
    asker, wish, key = request.asker, request.wish, key_of(request.claim)
    if key == asker.person_key:
        raise ProxySelf
    expires_at = end_of(request.claim, wish, now)
    writing.lock_people(session, asker.person_id)
    writing.lapse(session, acting_id=asker.person_id, acting_key=asker.person_key, now=now)
    writing.check_dependants(session, acting_id=asker.person_id)
    _check_asked(session, asker.person_id, key, now)
    new = NewLink(
        id=new_id(),
        acting_id=asker.person_id,
        acting_key=asker.person_key,
        represented_key=key,
        name=request.claim.name,
        relation=wish.relation,
        scopes=wish.scopes,
        is_credible=_is_their_name(session, asker, request.claim) and request.is_match,
        requested_at=now,
        answer_by=rules.answer_by(expires_at, now),
        expires_at=expires_at,
    )
    writing.insert(session, new)
    announce(session, ASKED, {"link_id": new.id})
    by = Author(kind="citizen", id=request.account_id)
    writing.audit(session, "asked", new.id, by, relation=wish.relation, scopes=wish.scopes)
    return new.id


def end_of(claim: Claim, wish: Wish, now: datetime) -> datetime | None:
    """Return when the link will end. Raises ``RelationMismatch``."""
    birth_on = documents.birth_on(claim.document_type, claim.number)
    if not rules.relation_fits(wish.relation, birth_on, now):
        errors = [{"pointer": "/relation", "code": "relation_mismatch"}]
        raise RelationMismatch(errors=errors)
    return rules.ends_at(wish.relation, birth_on, wish.expires_on, now)


def _check_asked(session: Session, acting_id: UUID, key: bytes, now: datetime) -> None:
    facts = {
        "acting_id": acting_id,
        "key": key,
        "month_ago": now - rules.PER_PERSON,
        "day_ago": now - rules.DAY,
    }
    row = session.execute(_ASKED, facts).one()
    if row.today >= rules.ASKS_PER_DAY or row.again >= rules.ASKS_PER_PERSON:
        raise AskedTooOften(retry_after=int(rules.DAY.total_seconds()))


def _is_their_name(session: Session, asker: Identity, claim: Claim) -> bool:
    """Return whether a person known here bears this name; an unknown one may.

    A name is opened and compared in either case, so that both take the same time.
    """
    row = session.execute(_KNOWN_NAME, {"key": key_of(claim)}).first()
    sealed, owner = (asker.name_sealed, asker.person_id) if row is None else (row[1], row[0])
    known = crypto.current().open(sealed, place=name_place(owner))
    return (matching_name(known) == matching_name(claim.name)) or row is None
