"""Links made and ended in person: documents on the table, a clerk who vouches for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services.data_access import Look, note_access
from citizen_cloud.accounts.services.real_name import Claim, at_counter, key_of
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound
from citizen_cloud.families import rules
from citizen_cloud.families.refusals import LinkDecided, ProxySelf, ScopesNotNarrower
from citizen_cloud.families.services import ending, writing
from citizen_cloud.families.services.asking import Wish, end_of
from citizen_cloud.families.services.audience import News, tell
from citizen_cloud.families.services.writing import Author
from citizen_cloud.text import Text

VERIFIED_BY = "counter"
PURPOSE = "families.attest"
_REQUEST = text(
    """
    SELECT l.id, l.acting_id, l.scopes, l.status, l.answer_by
      FROM families.link l
     WHERE l.id = :id AND l.represented_key = :key AND l.is_credible FOR UPDATE
    """
)
_ATTEST = text(
    """
    UPDATE families.link
       SET status = 'active', represented_id = :represented_id, relation = :relation,
           scopes = :scopes, agreed_by = 'counter', decided_by = :by, decided_at = :now,
           expires_at = :expires_at, organisation_id = :organisation_id,
           evidence_sealed = :evidence_sealed
     WHERE id = :id
    """
)
_END_EVIDENCE = text("UPDATE families.link SET end_evidence_sealed = :sealed WHERE id = :id")
ATTESTED = (
    Text("代办关系已在窗口办理", "A link was made at a counter"),
    Text(
        "一项代办关系已在服务窗口办理，详情见“家人”。",
        "A counter recorded who acts for whom; see your family list.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Counter:
    """The clerk, the place, and the reference to what was shown there."""

    account_id: UUID
    organisation_id: UUID
    evidence: str

    @property
    def author(self) -> Author:
        """Return the clerk as the audit names him."""
        return Author(kind="staff", id=self.account_id, organisation_id=self.organisation_id)


def attest_new(
    session: Session,
    *,
    counter: Counter,
    acting: Claim,
    represented: Claim,
    wish: Wish,
    now: datetime,
) -> UUID:
    """Link two people whose documents lie on the table; unknown ones are enrolled at level 3.

    Raises ``ProxySelf``, ``RelationMismatch``, ``RealNameMismatch``, ``DependantsFull``,
    ``GuardiansFull``, ``AlreadyLinked`` and ``ProxyCycle``.
    """
    if key_of(acting) == key_of(represented):
        raise ProxySelf
    end_of(represented, wish, now)
    # In the order of the keys: two counters with the same two people do not lock crosswise.
    known = {
        key_of(claim): at_counter(session, claim=claim, verified_by=VERIFIED_BY, now=now)
        for claim in sorted((acting, represented), key=key_of)
    }
    acting_id = known[key_of(acting)]
    writing.lapse(session, acting_id=acting_id, acting_key=key_of(acting), now=now)
    writing.check_dependants(session, acting_id=acting_id)
    link = writing.NewLink(
        id=new_id(),
        acting_id=acting_id,
        acting_key=key_of(acting),
        represented_key=key_of(represented),
        name=represented.name,
        relation=wish.relation,
        scopes=wish.scopes,
        is_credible=True,
        requested_at=now,
        answer_by=now + rules.ANSWER_WITHIN,
        expires_at=None,
    )
    writing.insert(session, link)
    return _attest(session, counter, Pair(link.id, acting_id, represented), wish, now)


def attest_request(
    session: Session,
    *,
    counter: Counter,
    link_id: UUID,
    represented: Claim,
    wish: Wish,
    now: datetime,
) -> UUID:
    """Agree to a request for the person whose document lies on the table.

    Raises ``NotFound`` where the request is about somebody else, ``LinkDecided``,
    ``ScopesNotNarrower`` and what ``attest_new`` raises.
    """
    facts = {"id": link_id, "key": key_of(represented)}
    row = session.execute(_REQUEST, facts).mappings().first()
    if row is None:
        raise NotFound
    if row["status"] != "pending" or row["answer_by"] <= now:
        raise LinkDecided
    if rules.narrowed(wish.scopes, row["scopes"]) is None:
        raise ScopesNotNarrower(errors=[{"pointer": "/scopes", "code": "not_one_of"}])
    return _attest(session, counter, Pair(link_id, row["acting_id"], represented), wish, now)


class Pair(NamedTuple):
    """A pending link, who acts by it, and the document of the other."""

    link_id: UUID
    acting_id: UUID
    represented: Claim


def _attest(session: Session, counter: Counter, pair: Pair, wish: Wish, now: datetime) -> UUID:
    """Make a pending link active, and tell both."""
    link_id, acting_id, represented = pair
    expires_at = end_of(represented, wish, now)
    represented_id = at_counter(session, claim=represented, verified_by=VERIFIED_BY, now=now)
    writing.lock_people(session, acting_id, represented_id)
    if wish.relation == rules.CHILD:
        key = key_of(represented)
        writing.check_guardians(session, key=key, acting_id=acting_id, now=now)
    place = writing.evidence_place(link_id)
    session.execute(
        _ATTEST,
        {
            "id": link_id,
            "represented_id": represented_id,
            "relation": wish.relation,
            "scopes": wish.scopes,
            "by": counter.account_id,
            "now": now,
            "expires_at": expires_at,
            "organisation_id": counter.organisation_id,
            "evidence_sealed": crypto.current().seal(counter.evidence, place=place),
        },
    )
    title, body = ATTESTED
    news = News(kind="attested", title=title, body=body, link_id=link_id)
    for person_id in (acting_id, represented_id):
        tell(session, person_id=person_id, news=news, now=now)
        note_access(session, _look(counter, person_id, link_id), now=now)
    facts = {"relation": wish.relation, "scopes": wish.scopes}
    writing.audit(session, "attested", link_id, counter.author, **facts)
    return link_id


def end_link(
    session: Session, *, counter: Counter, acting: Claim, represented: Claim, now: datetime
) -> UUID:
    """End the link between two people by evidence shown at a counter. Raises ``NotFound``."""
    row: RowMapping = ending.revoke_between(
        session,
        acting_key=key_of(acting),
        represented_key=key_of(represented),
        by=counter.account_id,
        now=now,
    )
    link_id: UUID = row["id"]
    place = writing.end_evidence_place(link_id)
    sealed = crypto.current().seal(counter.evidence, place=place)
    session.execute(_END_EVIDENCE, {"id": link_id, "sealed": sealed})
    for person_id in (row["acting_id"], row["represented_id"]):
        note_access(session, _look(counter, person_id, link_id), now=now)
    writing.audit(session, "ended_at_counter", link_id, counter.author)
    return link_id


def _look(counter: Counter, person_id: UUID, link_id: UUID) -> Look:
    return Look(
        person_id=person_id,
        reader_kind="staff",
        reader_id=counter.account_id,
        organisation_id=counter.organisation_id,
        purpose=PURPOSE,
        categories=("name", "document", "family"),
        basis_type="link",
        basis_id=link_id,
        outcome="changed",
    )
