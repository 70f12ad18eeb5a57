"""Give a person the cases about them, and forget what these hold."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.services import otp_tries
from citizen_cloud.counter.rules import asked_of, asked_place, evidence_place, reason_place
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject

# A person's cases, also where only the account is named.
_THEIRS = """
    (c.person_id = :person_id
     OR c.person_id = (SELECT person_id FROM accounts.account WHERE id = :account_id)
     OR (c.asked_by = 'citizen' AND c.opened_by = :account_id))"""
_CASES = text(
    f"""
    SELECT c.id, c.kind, c.organisation_id, c.asked_by, c.opened_at, c.expires_at, c.status,
           c.decided_at, c.asked_sealed, c.evidence_sealed, c.reason_sealed
      FROM counter.case c WHERE {_THEIRS} ORDER BY c.id
    """  # noqa: S608 - the condition above
)
_HANDLED = text(
    """
    SELECT id, kind, organisation_id, status, opened_by = :account_id AS opened,
           coalesce(decided_by = :account_id, false) AS decided
      FROM counter.case
     WHERE asked_by = 'staff' AND opened_by = :account_id OR decided_by = :account_id
     ORDER BY id
    """
)
_ERASE = text(
    f"""
    UPDATE counter.case c
       SET person_id = NULL, asked_sealed = NULL, evidence_sealed = NULL, reason_sealed = NULL,
           status = CASE c.status WHEN 'open' THEN 'cancelled' ELSE c.status END,
           decided_at = coalesce(c.decided_at, :now), version = c.version + 1
     WHERE {_THEIRS}
       AND (c.person_id IS NOT NULL
            OR num_nonnulls(c.asked_sealed, c.evidence_sealed, c.reason_sealed) > 0)
    """  # noqa: S608 - the condition above
)


def export(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the cases about a person, opened; and which ones a member of staff handled."""
    asked = asdict(subject)
    return {
        "cases": [_opened(dict(row)) for row in session.execute(_CASES, asked).mappings()],
        "cases_handled": [dict(row) for row in session.execute(_HANDLED, asked).mappings()],
    }


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    places = {"asked": asked_place, "evidence": evidence_place, "reason": reason_place}
    held = {name: row.pop(f"{name}_sealed") for name in places}
    words = {
        name: None if sealed is None else crypto.current().open(sealed, place=place(row["id"]))
        for (name, place), sealed in zip(places.items(), held.values(), strict=True)
    }
    wish = words["asked"]
    asked = {} if wish is None else {k: v for k, v in asdict(asked_of(wish)).items() if v}
    return {**row, **words, "asked": asked}


def erase(session: Session, subject: Subject, now: datetime) -> int:
    """Blank the cases about a person and end those still open; return how many.

    What is left says that two people decided something, and about nobody. Only a case knows that
    its new phone was the person's, so its spent code goes with it.
    """
    asked = asdict(subject)
    codes = sum(
        otp_tries.forget_over(session, phone=phone, now=now)
        for case in session.execute(_CASES, asked).mappings()
        if (phone := _opened(dict(case))["asked"].get("phone"))
    )
    return rows_changed(session, _ERASE, {**asked, "now": now}) + codes
