"""What becomes of an appeal or correction, and how its citizen hears of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.messages.services import Note, notify
from citizen_cloud.modules.health_code.rules.appeals import BY_RULE, GRANTED, outcome_words
from citizen_cloud.modules.health_code.rules.power_refusals import AppealOver
from citizen_cloud.text import Text

DECIDED = "health_code.appeal_decided"

_OPEN = text(
    "SELECT person_id FROM health_code.appeal WHERE id = :id AND decided_at IS NULL FOR UPDATE"
)


def person_of_open(session: Session, appeal_id: UUID) -> UUID:
    """Return whose appeal waits for an answer, and lock it. Raises ``AppealOver``."""
    found: UUID | None = session.scalar(_OPEN, {"id": appeal_id})
    if found is None:
        raise AppealOver
    return found


_DECIDE = text(
    """
    UPDATE health_code.appeal
       SET status = :status, answer = :answer, unit_id = coalesce(:unit_id, unit_id),
           decided_by = coalesce(:by, decided_by), decided_at = :now
     WHERE id = :id AND decided_at IS NULL
    RETURNING kind, person_id, account_id, unit_id, decided_by
    """
)
# Whoever asked for somebody else is told as well as the person.
_READERS = text(
    """
    SELECT id FROM accounts.account
     WHERE (person_id = :person_id OR id = :account_id) AND status <> 'closed'
    """
)


def decide(
    session: Session,
    *,
    appeal_id: UUID,
    status: str,
    now: datetime,
    answer: str | None = None,
    unit_id: UUID | None = None,
    by: UUID | None = None,
) -> None:
    """Answer an appeal for good: written down with officer and reason, and told."""
    asked = {
        "id": appeal_id,
        "status": status,
        "answer": answer,
        "unit_id": unit_id,
        "by": by,
        "now": now,
    }
    row = session.execute(_DECIDE, asked).first()
    if row is None:
        raise AppealOver
    facts = {"person_id": row.person_id, "kind": row.kind, "status": status, "answer": answer}
    act = Act(
        actor_kind="system" if row.decided_by is None else "staff",
        actor_id=row.decided_by,
        action=DECIDED,
        object_type="appeal",
        object_id=appeal_id,
        organisation_id=row.unit_id,
        payload=facts,
    )
    record(session, act)
    _tell(session, appeal_id, row, outcome_words(status, answer), now)


def _tell(session: Session, appeal_id: UUID, row: Row[Any], words: Text, now: datetime) -> None:
    asked = {"person_id": row.person_id, "account_id": row.account_id}
    for account_id in session.scalars(_READERS, asked).all():
        note = Note(
            account_id=account_id,
            kind=DECIDED,
            title=Text("您的申诉已有结果", "Your appeal was decided"),
            body=words,
            dedupe_key=f"{DECIDED}:{appeal_id}:{account_id}",
            subject_type="appeal",
            subject_id=appeal_id,
        )
        notify(session, note=note, now=now)


def grant(session: Session, *, appeal_id: UUID, now: datetime) -> None:
    """Answer an appeal whose correction two approvers agreed to."""
    decide(session, appeal_id=appeal_id, status=GRANTED, now=now)


def by_rule(session: Session, *, appeal_id: UUID, now: datetime) -> None:
    """Answer an appeal the rules answered by themselves."""
    decide(session, appeal_id=appeal_id, status=BY_RULE, now=now)


_REOPEN = text(
    """
    UPDATE health_code.appeal SET status = 'open', proposal_id = NULL
     WHERE proposal_id = :proposal_id AND decided_at IS NULL RETURNING id
    """
)


def reopen(session: Session, *, proposal_id: UUID) -> None:
    """Put an appeal back into the queue whose correction was not agreed to; its clock runs on."""
    session.execute(_REOPEN, {"proposal_id": proposal_id})
