"""Appeals as their citizen, the officers' queue and the auditors read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.errors import NotFound

_COLUMNS = """
    SELECT a.id, a.kind, a.person_id, a.account_id, a.colour, a.reason, a.text_sealed,
           a.event_id, a.status, a.due_at, a.overdue_at, a.unit_id, o.name AS unit_name,
           a.decided_at, a.answer, a.proposal_id, a.created_at
      FROM health_code.appeal a
      LEFT JOIN organisations.organisation o ON o.id = a.unit_id
"""


@dataclass(frozen=True, kw_only=True)
class AppealRow:
    """One appeal or correction; the officer is not in it, the authority is."""

    id: UUID
    kind: str
    person_id: UUID
    account_id: UUID | None
    colour: str
    reason: str
    text_sealed: bytes
    event_id: UUID | None
    status: str
    due_at: datetime
    overdue_at: datetime | None
    unit_id: UUID | None
    unit_name: dict[str, str] | None
    decided_at: datetime | None
    answer: str | None
    proposal_id: UUID | None
    created_at: datetime


_ONE = text(f"{_COLUMNS} WHERE a.id = :id")
_LOCKED = text(f"{_COLUMNS} WHERE a.id = :id FOR UPDATE OF a")
_OF_PERSON = text(
    f"""{_COLUMNS}
     WHERE a.person_id = :person_id AND (cast(:before AS uuid) IS NULL OR a.id < :before)
     ORDER BY a.id DESC LIMIT :most
    """
)
_QUEUE = text(
    f"""{_COLUMNS}
     WHERE a.decided_at IS NULL
       AND (cast(:after_at AS timestamptz) IS NULL OR (a.due_at, a.id) > (:after_at, :after))
     ORDER BY a.due_at, a.id LIMIT :most
    """
)
_ALL = text(
    f"""{_COLUMNS}
     WHERE (cast(:before AS uuid) IS NULL OR a.id < :before) ORDER BY a.id DESC LIMIT :most
    """
)


def appeal(session: Session, appeal_id: UUID) -> AppealRow:
    """Return one. Raises ``NotFound``."""
    row = session.execute(_ONE, {"id": appeal_id}).mappings().first()
    if row is None:
        raise NotFound
    return AppealRow(**row)


def appeal_for_update(session: Session, appeal_id: UUID) -> AppealRow | None:
    """Return one, locked: officers who decide it queue here."""
    row = session.execute(_LOCKED, {"id": appeal_id}).mappings().first()
    return None if row is None else AppealRow(**row)


def own_appeals(
    session: Session, *, person_id: UUID, before: UUID | None, limit: int
) -> list[AppealRow]:
    """Return a page of a person's own and one more, newest first."""
    asked = {"person_id": person_id, "before": before, "most": limit + 1}
    return _rows(session.execute(_OF_PERSON, asked).mappings().all())


def queue(session: Session, *, after: tuple[datetime, UUID] | None, limit: int) -> list[AppealRow]:
    """Return a page of what waits for an answer and one more, the most urgent first."""
    at, last = (None, None) if after is None else after
    asked = {"after_at": at, "after": last, "most": limit + 1}
    return _rows(session.execute(_QUEUE, asked).mappings().all())


def all_appeals(session: Session, *, before: UUID | None, limit: int) -> list[AppealRow]:
    """Return a page of all and one more, newest first; for auditors."""
    asked = {"before": before, "most": limit + 1}
    return _rows(session.execute(_ALL, asked).mappings().all())


def _rows(rows: Sequence[Any]) -> list[AppealRow]:
    return [AppealRow(**row) for row in rows]


_ABOUT = text(
    """
    SELECT e.id, e.kind, e.evidence, e.occurred_at, e.source_kind, e.payload, e.approval_id,
           EXISTS (SELECT FROM health_code.event w WHERE w.withdraws = e.id) AS is_withdrawn
      FROM health_code.event e
     WHERE e.person_id = :person_id
       AND e.kind IN ('assigned','test_result','exposure','recovery','exclusion')
     ORDER BY e.id DESC LIMIT 50
    """
)


def events_about(session: Session, person_id: UUID) -> list[dict[str, Any]]:
    """Return what authorities said of a person lately: what an appeal may be about."""
    return [dict(row) for row in session.execute(_ABOUT, {"person_id": person_id}).mappings()]
