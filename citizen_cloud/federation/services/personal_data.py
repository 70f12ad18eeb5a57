"""Give a person their identities elsewhere, and forget them."""

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import rows_changed
from citizen_cloud.federation.services.identities import subject_place
from citizen_cloud.manifest import Subject

_WHOSE = """
    (SELECT id FROM accounts.account WHERE id = :account_id OR person_id = :person_id)
"""
_KEYS = """
    (SELECT p.person_key FROM accounts.person p
      WHERE p.id = :person_id
         OR p.id = (SELECT person_id FROM accounts.account WHERE id = :account_id))
"""
_IDENTITIES = text(
    f"""
    SELECT id, provider, subject_sealed, linked_at, last_used_at, removed_at
      FROM federation.identity WHERE account_id IN {_WHOSE} ORDER BY id
    """  # noqa: S608 - our own words only
)
_ATTEMPTS = text(
    f"""
    SELECT id, kind, provider, created_at, expires_at FROM federation.attempt
     WHERE account_id IN {_WHOSE} OR person_key IN {_KEYS} ORDER BY id
    """  # noqa: S608 - our own words only
)
_ERASE = (
    text(f"DELETE FROM federation.identity WHERE account_id IN {_WHOSE}"),  # noqa: S608
    text(
        f"DELETE FROM federation.attempt WHERE account_id IN {_WHOSE} OR person_key IN {_KEYS}"  # noqa: S608
    ),
)


def export_data(session: Session, subject: Subject) -> dict[str, Any]:
    """Return who the person is elsewhere, and what is under way."""
    asked = {"account_id": subject.account_id, "person_id": subject.person_id}
    rows = session.execute(_IDENTITIES, asked).mappings()
    return {
        "identities": [_opened(dict(row)) for row in rows],
        "attempts": [dict(row) for row in session.execute(_ATTEMPTS, asked).mappings()],
    }


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    sealed = row.pop("subject_sealed")
    place = subject_place(row["id"])
    return {**row, "subject": crypto.current().open(sealed, place=place) if sealed else None}


def erase_data(session: Session, subject: Subject, now: datetime) -> int:
    """Forget every identity and every ticket of a person; return how many."""
    del now
    asked = {"account_id": subject.account_id, "person_id": subject.person_id}
    return sum(rows_changed(session, statement, asked) for statement in _ERASE)
