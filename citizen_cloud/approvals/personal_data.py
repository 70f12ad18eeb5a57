"""Give officials what they proposed and decided, and forget their words."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.approvals import sealing
from citizen_cloud.approvals.services.ending import withdraw
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject

_PROPOSED = text(
    """
    SELECT id, kind, reason, status, unit_id, created_at, ended_at FROM approvals.proposal
     WHERE proposed_by = :account_id ORDER BY id
    """
)
_DECIDED = text(
    """
    SELECT id, proposal_id, unit_id, verdict, note_sealed, decided_at FROM approvals.decision
     WHERE account_id = :account_id ORDER BY id
    """
)
_APPOINTED = text(
    """
    SELECT id, unit_id, appointed_at, ended_at FROM approvals.approver
     WHERE account_id = :account_id ORDER BY id
    """
)
_OPEN = text(
    """
    SELECT id FROM approvals.proposal
     WHERE proposed_by = :account_id AND status = 'open' ORDER BY id FOR UPDATE
    """
)
_FORGET = (
    text(
        """
        UPDATE approvals.decision SET note_sealed = NULL
         WHERE account_id = :account_id AND note_sealed IS NOT NULL
        """
    ),
    text(
        """
        UPDATE approvals.approver SET ended_at = :now
         WHERE account_id = :account_id AND ended_at IS NULL
        """
    ),
)


def export_data(session: Session, subject: Subject) -> dict[str, Any]:
    """Return what an account proposed and decided, and when it was appointed."""
    asked = {"account_id": subject.account_id}
    decided = session.execute(_DECIDED, asked).mappings()
    return {
        "proposals": [dict(row) for row in session.execute(_PROPOSED, asked).mappings()],
        "decisions": [_opened(dict(row)) for row in decided],
        "appointments": [dict(row) for row in session.execute(_APPOINTED, asked).mappings()],
    }


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    sealed = row.pop("note_sealed")
    place = sealing.note_place(row["id"])
    return {**row, "note": crypto.current().open(sealed, place=place) if sealed else None}


def erase_data(session: Session, subject: Subject, now: datetime) -> int:
    """Blank an account's notes, end its appointment and take back what it still proposes.

    Who agreed to what stays, under a random id: a decision without its approvers proves nothing.
    """
    account_id = subject.account_id
    if account_id is None:
        return 0
    waiting: list[UUID] = list(session.execute(_OPEN, {"account_id": account_id}).scalars())
    for proposal_id in waiting:
        withdraw(
            session,
            proposal_id=proposal_id,
            account_id=account_id,
            actor_kind="system",
            now=now,
        )
    asked = {"account_id": account_id, "now": now}
    counts: list[int] = [rows_changed(session, each, asked) for each in _FORGET]
    return len(waiting) + sum(counts)
