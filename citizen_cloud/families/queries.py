"""Reads of links: those I act by, and those by which others act for somebody."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import mask_name
from citizen_cloud.accounts.identity import name_place as person_name_place
from citizen_cloud.families.services.writing import name_place

# The status as time has it; and the person's name only once there is a link, before that the
# name the asker gave, whatever is known here.
_DEPENDANTS = """
    SELECT l.id, l.relation, l.scopes, l.agreed_by, l.organisation_id, l.requested_at,
           l.decided_at, l.expires_at, l.name_sealed, l.answer_by, p.name_sealed AS known_name,
           CASE WHEN l.status = 'pending' AND l.answer_by <= t.at THEN 'expired'
                WHEN l.status = 'active' AND l.expires_at <= t.at THEN 'expired'
                ELSE l.status END AS status,
           p.id AS person_id
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS at) t
      JOIN families.link l ON l.acting_id = :acting_id
      LEFT JOIN accounts.person p ON p.id = l.represented_id AND l.status = 'active'
                                 AND (l.expires_at IS NULL OR l.expires_at > t.at)
"""
_LIST = text(
    _DEPENDANTS
    + "WHERE cast(:before AS uuid) IS NULL OR l.id < :before ORDER BY l.id DESC LIMIT :limit"
)
_ONE = text(_DEPENDANTS + "WHERE l.id = :link_id")
_PROXIES = text(
    """
    SELECT l.id, l.relation, l.scopes, l.agreed_by, l.organisation_id, l.decided_at, l.expires_at,
           l.acting_id, p.name_sealed
      FROM families.link l JOIN accounts.person p ON p.id = l.acting_id
     WHERE l.represented_id = :person_id AND l.status = 'active'
       AND (l.expires_at IS NULL
            OR l.expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp()))
       AND (cast(:before AS uuid) IS NULL OR l.id < :before)
     ORDER BY l.id DESC LIMIT :limit
    """
)


def dependants(
    connection: Connection,
    *,
    acting_id: UUID,
    before: UUID | None,
    limit: int,
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Return the links and requests of one who acts, latest first; names masked."""
    facts = {"acting_id": acting_id, "before": before, "limit": limit, "now": now}
    return [_dependant(row) for row in connection.execute(_LIST, facts).mappings()]


def dependant(
    session: Session, *, acting_id: UUID, link_id: UUID, now: datetime | None = None
) -> dict[str, Any]:
    """Return one link or request as its asker sees it; the caller knows that it exists."""
    facts = {"acting_id": acting_id, "link_id": link_id, "now": now}
    return _dependant(session.execute(_ONE, facts).mappings().one())


def _dependant(row: RowMapping) -> dict[str, Any]:
    rings = crypto.current()
    if row["known_name"] is not None:
        name = rings.open(row["known_name"], place=person_name_place(row["person_id"]))
    else:
        name = rings.open(row["name_sealed"], place=name_place(row["id"]))
    return {**row, "name": mask_name(name)}


def proxies(
    connection: Connection,
    *,
    person_id: UUID,
    before: UUID | None,
    limit: int,
    now: datetime | None = None,
) -> list[dict[str, Any]]:
    """Return who may act for a person now, latest first; names masked."""
    facts = {"person_id": person_id, "before": before, "limit": limit, "now": now}
    return with_asker(connection.execute(_PROXIES, facts).mappings().all())


def with_asker(rows: Sequence[RowMapping]) -> list[dict[str, Any]]:
    """Return rows with the masked name of the person who acts or asks to."""
    rings = crypto.current()
    return [
        {
            **row,
            "name": mask_name(
                rings.open(row["name_sealed"], place=person_name_place(row["acting_id"]))
            ),
        }
        for row in rows
    ]
