"""Take services away, or a whole link; it counts from the next request on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.errors import NotFound
from citizen_cloud.families import rules
from citizen_cloud.families.refusals import ScopesNotNarrower
from citizen_cloud.families.services import writing
from citizen_cloud.families.services.audience import News, tell
from citizen_cloud.families.services.writing import Author
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Identity

_MINE = text(
    """
    SELECT id, scopes, acting_id, represented_id, status FROM families.link
     WHERE id = :id AND acting_id = :acting_id AND status IN ('pending', 'active') FOR UPDATE
    """
)
_NARROW = text("UPDATE families.link SET scopes = :scopes WHERE id = :id")
_GIVE_UP = text(
    """
    UPDATE families.link SET status = 'revoked', ended_at = :now, ended_by = :person_id
     WHERE id = :id AND acting_id = :person_id AND status IN ('pending', 'active')
    RETURNING id, acting_id, represented_id, old.status AS was
    """
)
_REVOKE = text(
    """
    UPDATE families.link SET status = 'revoked', ended_at = :now, ended_by = :person_id
     WHERE id = :id AND represented_key = :person_key AND status = 'active'
    RETURNING id, acting_id, represented_id
    """
)
_REVOKE_BETWEEN = text(
    """
    UPDATE families.link SET status = 'revoked', ended_at = :now, ended_by = :by
     WHERE acting_key = :acting_key AND represented_key = :represented_key AND status = 'active'
    RETURNING id, acting_id, represented_id
    """
)
ENDED = (
    Text("代办关系已结束", "A link has ended"),
    Text("一项代办关系已结束，详情见“家人”。", "Somebody may no longer act; see your family list."),
)


def narrow(
    session: Session,
    *,
    person: Identity,
    account_id: UUID,
    link_id: UUID,
    scopes: list[str],
) -> None:
    """Leave out some services of one's own link. Raises ``NotFound``, ``ScopesNotNarrower``."""
    facts = {"id": link_id, "acting_id": person.person_id}
    row = session.execute(_MINE, facts).mappings().first()
    if row is None:
        raise NotFound
    kept = rules.narrowed(scopes, row["scopes"])
    if kept is None:
        raise ScopesNotNarrower(errors=[{"pointer": "/scopes", "code": "not_one_of"}])
    session.execute(_NARROW, {"id": link_id, "scopes": kept})
    if row["status"] == "active":
        writing.announce_end(session, row, kept=kept)
    writing.audit(session, "narrowed", link_id, Author(kind="citizen", id=account_id), scopes=kept)


def give_up(
    session: Session, *, person: Identity, account_id: UUID, link_id: UUID, now: datetime
) -> None:
    """End a link, or withdraw a request, of one's own. Raises ``NotFound``."""
    facts = {"id": link_id, "person_id": person.person_id, "now": now}
    row = _ended(session, _GIVE_UP, facts)
    if row["was"] == "active":
        writing.announce_end(session, row)
        _tell(session, row["represented_id"], link_id, now)
    writing.audit(session, "given_up", link_id, Author(kind="citizen", id=account_id))


def revoke(
    session: Session, *, person: Identity, account_id: UUID, link_id: UUID, now: datetime
) -> None:
    """Let somebody no longer act for this person. Raises ``NotFound``."""
    facts = {
        "id": link_id,
        "person_id": person.person_id,
        "person_key": person.person_key,
        "now": now,
    }
    row = _ended(session, _REVOKE, facts)
    writing.announce_end(session, row)
    _tell(session, row["acting_id"], link_id, now)
    writing.audit(session, "revoked", link_id, Author(kind="citizen", id=account_id))


def revoke_between(
    session: Session, *, acting_key: bytes, represented_key: bytes, by: UUID, now: datetime
) -> RowMapping:
    """End the link between two people at a counter; return it. Raises ``NotFound``."""
    facts = {"acting_key": acting_key, "represented_key": represented_key, "by": by, "now": now}
    row = _ended(session, _REVOKE_BETWEEN, facts)
    writing.announce_end(session, row)
    for person_id in (row["acting_id"], row["represented_id"]):
        _tell(session, person_id, row["id"], now)
    return row


def _ended(session: Session, statement: Any, facts: dict[str, Any]) -> RowMapping:
    row = session.execute(statement, facts).mappings().first()
    if row is None:
        raise NotFound
    return row


def _tell(session: Session, person_id: UUID, link_id: UUID, now: datetime) -> None:
    title, body = ENDED
    news = News(kind="ended", title=title, body=body, link_id=link_id)
    tell(session, person_id=person_id, news=news, now=now)
