"""Links made in person: documents on the table, and two clerks who vouch for them.

The first clerk's word makes a request, or confirms somebody's; the second one's makes the link.
Meanwhile whoever has an account and a say, the person or a child's guardian, is asked as ever.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.real_name import Claim, holder_of, key_of
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound
from citizen_cloud.families import rules
from citizen_cloud.families.refusals import LinkDecided, ProxySelf
from citizen_cloud.families.services import writing
from citizen_cloud.families.services.asking import ASKED, Wish, end_of
from citizen_cloud.families.services.clerks import VERIFIED_BY, Counter
from citizen_cloud.families.services.vouching import Made, Word, vouch
from citizen_cloud.jobs.services import announce

_LINK = """
    SELECT l.id, l.acting_id, l.relation, l.scopes, l.status, l.answer_by, l.expires_at,
           l.attested_by, l.organisation_id, l.evidence_sealed
      FROM families.link l"""
_REQUEST = text(
    _LINK + " WHERE l.id = :id AND l.represented_key = :key AND l.is_credible FOR UPDATE"
)
_BEGUN = text(
    _LINK
    + """
     WHERE l.acting_key = :acting_key AND l.represented_key = :key AND l.attested_by IS NOT NULL
       AND l.status = 'pending' AND l.answer_by > :now FOR UPDATE
    """
)


def attest_new(
    session: Session,
    *,
    counter: Counter,
    acting: Claim,
    represented: Claim,
    wish: Wish,
    now: datetime,
) -> Made:
    """Vouch for two people whose documents lie on the table.

    Raises ``ProxySelf``, ``RelationMismatch``, ``RealNameMismatch``, ``DependantsFull``,
    ``GuardiansFull``, ``AlreadyLinked``, ``ProxyCycle`` and ``SecondPersonRequired``.
    """
    acting_key, key = key_of(acting), key_of(represented)
    if acting_key == key:
        raise ProxySelf
    asked = {"acting_key": acting_key, "key": key, "now": now}
    begun = session.execute(_BEGUN, asked).mappings().first()
    if begun is None:
        begun = _insert(session, acting, represented, wish, now)
    word = Word(counter=counter, row=begun, represented=represented, wish=wish, now=now)
    return vouch(session, word)


def _insert(
    session: Session, acting: Claim, represented: Claim, wish: Wish, now: datetime
) -> RowMapping:
    expires_at = end_of(represented, wish, now)
    # Whoever acts proved name and document as by the real-name step; two clerks make no more of it.
    acting_id = holder_of(session, claim=acting, verified_by=VERIFIED_BY, now=now)
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
        answer_by=rules.answer_by(expires_at, now, within=rules.SECOND_CLERK_WITHIN),
        expires_at=expires_at,
    )
    writing.insert(session, link)
    # The person, or a child's guardian, is told of it as of any request.
    announce(session, ASKED, {"link_id": link.id})
    facts = {"id": link.id, "key": key_of(represented)}
    return session.execute(_REQUEST, facts).mappings().one()


def attest_request(
    session: Session,
    *,
    counter: Counter,
    link_id: UUID,
    represented: Claim,
    wish: Wish,
    now: datetime,
) -> Made:
    """Vouch for the person whose document lies on the table and who agrees to a request.

    Raises ``NotFound`` where the request is about somebody else, ``LinkDecided``,
    ``ScopesNotNarrower`` and what ``attest_new`` raises.
    """
    facts = {"id": link_id, "key": key_of(represented)}
    row = session.execute(_REQUEST, facts).mappings().first()
    if row is None:
        raise NotFound
    if row["status"] != "pending" or row["answer_by"] <= now:
        raise LinkDecided
    word = Word(counter=counter, row=row, represented=represented, wish=wish, now=now)
    return vouch(session, word)
