"""Answer a request: the person from the own account, or a guardian for a child."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.errors import NotFound
from citizen_cloud.families import rules
from citizen_cloud.families.refusals import LinkDecided, ScopesNotNarrower
from citizen_cloud.families.services import writing
from citizen_cloud.families.services.audience import News, tell
from citizen_cloud.families.services.writing import Author
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Identity

# What lies before somebody: requests about himself, and about children he is guardian of.
_BEFORE = """
    FROM families.link l
    LEFT JOIN families.link g
      ON l.relation = 'child' AND g.relation = 'child' AND g.represented_key = l.represented_key
     AND g.acting_id = :person_id AND g.id <> l.id AND g.status = 'active'
     AND (g.expires_at IS NULL OR g.expires_at > :now)
   WHERE l.is_credible
     AND (l.relation <> 'child' AND l.represented_key = :person_key OR g.id IS NOT NULL)
"""
_ONE = text(
    "SELECT l.id, l.status, l.acting_id, l.represented_key, l.relation, l.scopes, l.answer_by, "
    "g.scopes AS guardian_scopes, g.represented_id AS child_id "
    + _BEFORE
    + "AND l.id = :link_id FOR UPDATE OF l"
)
_OPEN = text(
    "SELECT l.id, l.acting_id, p.name_sealed, l.relation, l.scopes, l.requested_at, "
    "l.answer_by, l.expires_at, g.represented_id AS child_id "
    + _BEFORE.replace("WHERE", "JOIN accounts.person p ON p.id = l.acting_id WHERE")
    + "AND l.status = 'pending' AND l.answer_by > :now "
    "AND (cast(:before AS uuid) IS NULL OR l.id < :before) ORDER BY l.id DESC LIMIT :limit"
)
_AGREE = text(
    """
    UPDATE families.link
       SET status = 'active', represented_id = :represented_id, scopes = :scopes,
           agreed_by = :agreed_by, decided_by = :person_id, decided_at = :now
     WHERE id = :id
    """
)
_REFUSE = text(
    """
    UPDATE families.link
       SET status = 'refused', agreed_by = NULL, decided_by = :person_id, decided_at = :now,
           ended_at = :now, ended_by = :person_id
     WHERE id = :id
    """
)
AGREED = (
    Text("代办申请已同意", "You may act for somebody"),
    Text(
        "您的代办申请已获同意，可在“家人”中查看。",
        "Your request was agreed to; see your family list.",
    ),
)
REFUSED = (
    Text("代办申请被拒绝", "Request refused"),
    Text(
        "您的一项代办申请被拒绝，详情见“家人”。",
        "One of your requests was refused; see your family list.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Yes, with some or all of the services asked for, or no."""

    agreed: bool
    scopes: list[str] | None = None


def open_requests(
    session: Session, *, person: Identity, before: UUID | None, limit: int, now: datetime
) -> Sequence[RowMapping]:
    """Return what waits for an answer of this person, latest first."""
    facts = {**_who(person, now), "before": before, "limit": limit}
    return session.execute(_OPEN, facts).mappings().all()


def _who(person: Identity, now: datetime) -> dict[str, Any]:
    return {"person_id": person.person_id, "person_key": person.person_key, "now": now}


def decide(
    session: Session,
    *,
    person: Identity,
    account_id: UUID,
    link_id: UUID,
    answer: Answer,
    now: datetime,
) -> str:
    """Agree to a request or refuse it; return its status.

    Counts from the asker's next request on. Raises ``NotFound``, ``LinkDecided``,
    ``ScopesNotNarrower`` and ``GuardiansFull``.
    """
    facts = {**_who(person, now), "link_id": link_id}
    row = session.execute(_ONE, facts).mappings().first()
    if row is None:
        raise NotFound
    if row["status"] != "pending" or row["answer_by"] <= now:
        raise LinkDecided
    if answer.agreed:
        _agree(session, row, person, answer.scopes, now)
    else:
        session.execute(_REFUSE, {"id": link_id, "person_id": person.person_id, "now": now})
    status = "active" if answer.agreed else "refused"
    title, body = AGREED if answer.agreed else REFUSED
    news = News(kind=status, title=title, body=body, link_id=link_id)
    tell(session, person_id=row["acting_id"], news=news, now=now)
    verb = "agreed" if answer.agreed else "refused"
    writing.audit(session, verb, link_id, Author(kind="citizen", id=account_id))
    return status


def _agree(
    session: Session, row: RowMapping, person: Identity, wished: list[str] | None, now: datetime
) -> None:
    by_guardian = row["relation"] == rules.CHILD
    represented_id = row["child_id"] if by_guardian else person.person_id
    outer = [row["scopes"], row["guardian_scopes"]] if by_guardian else [row["scopes"]]
    scopes = rules.narrowed(wished, *outer)
    if scopes is None:
        raise ScopesNotNarrower(errors=[{"pointer": "/scopes", "code": "not_one_of"}])
    writing.lock_people(session, row["acting_id"], represented_id)
    if by_guardian:
        key, acting_id = row["represented_key"], row["acting_id"]
        writing.check_guardians(session, key=key, acting_id=acting_id, now=now)
    session.execute(
        _AGREE,
        {
            "id": row["id"],
            "represented_id": represented_id,
            "scopes": scopes,
            "agreed_by": "guardian" if by_guardian else "own_account",
            "person_id": person.person_id,
            "now": now,
        },
    )
