"""Give people what the families room holds about them, and forget them."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import rows_changed
from citizen_cloud.families.services.writing import (
    end_evidence_place,
    evidence_place,
    name_place,
)
from citizen_cloud.manifest import Subject

# The person behind an account, or named outright; a request may know the key alone.
_ABOUT = text(
    """
    SELECT l.*, l.acting_id = p.id AS is_acting
      FROM accounts.person p
      JOIN families.link l
        ON l.acting_id = p.id OR l.represented_id = p.id OR l.represented_key = p.person_key
     WHERE p.id = :person_id
        OR p.id IN (SELECT person_id FROM accounts.account WHERE id = :account_id)
     ORDER BY l.id
    """
)
_ERASE = text(
    """
    DELETE FROM families.link l USING accounts.person p
     WHERE (l.acting_id = p.id OR l.represented_id = p.id OR l.represented_key = p.person_key)
       AND (p.id = :person_id
            OR p.id IN (SELECT person_id FROM accounts.account WHERE id = :account_id))
    """
)
_SHOWN = (
    "id",
    "relation",
    "scopes",
    "status",
    "agreed_by",
    "organisation_id",
    "requested_at",
    "answer_by",
    "decided_at",
    "expires_at",
    "ended_at",
)


def export_data(session: Session, subject: Subject) -> dict[str, Any]:
    """Return every link and request from or about somebody, and what was given as evidence."""
    rows = session.execute(_ABOUT, asdict(subject)).mappings().all()
    return {
        "acting_for": _links(row for row in rows if row["is_acting"]),
        "represented_by": _links(row for row in rows if not row["is_acting"]),
    }


def _links(rows: Iterable[RowMapping]) -> list[dict[str, Any]]:
    return [
        {
            **{name: row[name] for name in _SHOWN},
            # The name an asker gave is the asker's; the person knows the own.
            "name": _opened(row["name_sealed"], name_place(row["id"]))
            if row["is_acting"]
            else None,
            "evidence": _opened(row["evidence_sealed"], evidence_place(row["id"])),
            "end_evidence": _opened(row["end_evidence_sealed"], end_evidence_place(row["id"])),
        }
        for row in rows
    ]


def _opened(sealed: bytes | None, place: str) -> str | None:
    return None if sealed is None else crypto.current().open(sealed, place=place)


def erase_data(session: Session, subject: Subject, now: datetime) -> int:
    """Delete every link and request from or about somebody; return how many.

    Nobody acts for them any more from the next request on. Must run before the accounts room
    forgets the key, as rooms above always do.
    """
    del now
    return rows_changed(session, _ERASE, asdict(subject))
