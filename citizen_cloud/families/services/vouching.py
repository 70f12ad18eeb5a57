"""The word of a clerk on a pending link: the first one is kept, the second makes it active."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.refusals import RealNameMismatch, SecondPersonRequired
from citizen_cloud.accounts.services import people
from citizen_cloud.accounts.services.officials import Official
from citizen_cloud.accounts.services.real_name import Claim, key_of
from citizen_cloud.families import rules
from citizen_cloud.families.refusals import RelationMismatch, ScopesNotNarrower
from citizen_cloud.families.services import writing
from citizen_cloud.families.services.asking import Wish, end_of
from citizen_cloud.families.services.audience import News, tell
from citizen_cloud.families.services.clerks import VERIFIED_BY, Counter, note_look
from citizen_cloud.organisations.services.counters import pair_of
from citizen_cloud.text import Text

_BEGIN = text(
    """
    UPDATE families.link
       SET relation = :relation, scopes = :scopes, attested_by = :by, expires_at = :expires_at,
           organisation_id = :organisation_id, evidence_sealed = :evidence_sealed
     WHERE id = :id
    """
)
_ATTEST = text(
    """
    UPDATE families.link
       SET status = 'active', represented_id = :represented_id, scopes = :scopes,
           agreed_by = 'counter', decided_by = :by, decided_at = :now, expires_at = :expires_at,
           evidence_sealed = :evidence_sealed
     WHERE id = :id
    """
)
_OTHER_GUARDIANS = text(
    """
    SELECT acting_id FROM families.link
     WHERE represented_id = :represented_id AND relation = 'child' AND status = 'active'
       AND (expires_at IS NULL OR expires_at > :now) AND id <> :id
    """
)
ATTESTED = (
    Text("代办关系已在窗口办理", "A link was made at a counter"),
    Text(
        "一项代办关系已在服务窗口办理，详情见“家人”。",
        "A counter recorded who acts for whom; see your family list.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A link as a counter left it: waiting for the second clerk, or active."""

    id: UUID
    status: str


@dataclass(frozen=True, kw_only=True)
class Word:
    """One clerk's word: which pending link, whose document, on which terms."""

    counter: Counter
    row: RowMapping
    represented: Claim
    wish: Wish
    now: datetime

    @property
    def link_id(self) -> UUID:
        """Return the link's id."""
        link_id: UUID = self.row["id"]
        return link_id

    @property
    def expires_at(self) -> datetime | None:
        """Return when the link ends, no later than asked for. Raises ``RelationMismatch``."""
        return rules.earlier(self.row["expires_at"], end_of(self.represented, self.wish, self.now))


def vouch(session: Session, word: Word) -> Made:
    """Be the first clerk who vouches for a pending link, or the second.

    Raises ``ScopesNotNarrower``, ``RelationMismatch``, ``RealNameMismatch``, ``GuardiansFull`` and
    ``SecondPersonRequired``.
    """
    if rules.narrowed(word.wish.scopes, word.row["scopes"]) is None:
        raise ScopesNotNarrower(errors=[{"pointer": "/scopes", "code": "not_one_of"}])
    return _attest(session, word) if _has_first(session, word) else _begin(session, word)


def _has_first(session: Session, word: Word) -> bool:
    """Return whether a first clerk's word stands. Raises ``SecondPersonRequired``.

    That of another counter, or of somebody who is gone by now, does not: this one begins anew.
    """
    first, counter = word.row["attested_by"], word.counter
    if first is None or word.row["organisation_id"] != counter.organisation_id:
        return False
    place = counter.organisation_id
    pair = pair_of(
        session, organisation_id=place, first=first, second=counter.account_id, now=word.now
    )
    if not pair.is_independent:
        raise SecondPersonRequired
    return pair.is_first_there


def _begin(session: Session, word: Word) -> Made:
    """Keep the first clerk's word; whoever is known sees that somebody looked."""
    counter, link_id = word.counter, word.link_id
    known = people.find(session, claim=word.represented)
    if known is not None and not known.is_named:
        raise RealNameMismatch
    facts = {
        "id": link_id,
        "relation": word.wish.relation,
        "scopes": word.wish.scopes,
        "by": counter.account_id,
        "expires_at": word.expires_at,
        "organisation_id": counter.organisation_id,
        "evidence_sealed": _sealed(link_id, counter.evidence),
    }
    session.execute(_BEGIN, facts)
    for person_id in (word.row["acting_id"], known.person_id if known else None):
        if person_id is not None:
            note_look(session, counter, person_id, link_id, outcome="read", now=word.now)
    writing.audit(session, "attestation_begun", link_id, counter.author, **_terms(word))
    return Made(id=link_id, status="pending")


def _attest(session: Session, word: Word) -> Made:
    """Make a pending link active by the second clerk's word, and tell everybody concerned."""
    counter, link_id, now = word.counter, word.link_id, word.now
    if word.wish.relation != word.row["relation"]:
        raise RelationMismatch(errors=[{"pointer": "/relation", "code": "relation_mismatch"}])
    official = Official(
        kind="staff",
        id=counter.account_id,
        organisation_id=counter.organisation_id,
        link_id=link_id,
    )
    acting_id, represented = word.row["acting_id"], word.represented
    represented_id = people.enrol_in_person(
        session, claim=represented, verified_by=VERIFIED_BY, official=official, now=now
    )
    writing.lock_people(session, acting_id, represented_id)
    if word.wish.relation == rules.CHILD:
        key = key_of(represented)
        writing.check_guardians(session, key=key, acting_id=acting_id, now=now)
    facts = {
        "id": link_id,
        "represented_id": represented_id,
        "scopes": word.wish.scopes,
        "by": counter.account_id,
        "now": now,
        "expires_at": word.expires_at,
        "evidence_sealed": _sealed(link_id, _evidence(word)),
    }
    session.execute(_ATTEST, facts)
    for person_id in (acting_id, represented_id):
        note_look(session, counter, person_id, link_id, outcome="changed", now=now)
    _tell(session, word, represented_id)
    writing.audit(session, "attested", link_id, counter.author, **_terms(word))
    return Made(id=link_id, status="active")


def _sealed(link_id: UUID, evidence: str) -> bytes:
    return crypto.current().seal(evidence, place=writing.evidence_place(link_id))


def _evidence(word: Word) -> str:
    """Return where both clerks say that the copies lie."""
    place = writing.evidence_place(word.link_id)
    first = crypto.current().open(word.row["evidence_sealed"], place=place)
    said = word.counter.evidence
    return first if first == said else f"{first}; {said}"


def _terms(word: Word) -> dict[str, object]:
    return {"relation": word.wish.relation, "scopes": word.wish.scopes}


def _tell(session: Session, word: Word, represented_id: UUID) -> None:
    """Tell both, and a child's other guardian: nobody becomes one behind that one's back."""
    asked = {"id": word.link_id, "represented_id": represented_id, "now": word.now}
    others = session.scalars(_OTHER_GUARDIANS, asked).all()
    title, body = ATTESTED
    news = News(kind="attested", title=title, body=body, link_id=word.link_id)
    for person_id in (word.row["acting_id"], represented_id, *others):
        tell(session, person_id=person_id, news=news, now=word.now)
