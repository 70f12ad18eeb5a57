"""Give people what this room holds about them, and forget them.

A code that is out there stays void until its own end, under its random number alone: forgetting
its record at once would make it good again at every gate.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Executable, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.credentials.proofs import to_text
from citizen_cloud.credentials.services.issuing import name_place
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Subject

_ACCOUNTS = """
    SELECT a.id FROM accounts.account a WHERE a.id = :account_id OR a.person_id = :person_id
"""
_KEYS = f"SELECT k.id FROM credentials.device_key k WHERE k.account_id IN ({_ACCOUNTS})"  # noqa: S608 - no part of these comes from outside
_HOLDER = """
    c.holder_id = :person_id
    OR c.holder_id = (SELECT a.person_id FROM accounts.account a WHERE a.id = :account_id)
"""
_HELD = text(
    f"""
    SELECT c.jti, c.type, c.kid, c.issued_at, c.expires_at, c.revoked_at, c.suspended_at,
           c.claims ->> 'c' AS colour, c.name_sealed, c.device_key_id, c.show_key
      FROM credentials.credential c WHERE {_HOLDER} ORDER BY c.issued_at, c.jti
    """  # noqa: S608
)
_DEVICE_KEYS = text(
    f"""
    SELECT id, device_id, public_key, created_at, ended_at, ended_reason
      FROM credentials.device_key WHERE account_id IN ({_ACCOUNTS}) ORDER BY id
    """  # noqa: S608
)
_CHALLENGES = text(
    f"""
    SELECT id, device_id, created_at, expires_at FROM credentials.device_challenge
     WHERE account_id IN ({_ACCOUNTS}) ORDER BY id
    """  # noqa: S608
)
# Nothing is left but a number, a key's name and times.
_BLANK = """
    subject_id = c.jti, holder_id = NULL, device_key_id = NULL, show_key = NULL,
    name_sealed = NULL, claims = '{}', suspended_at = NULL,
    revoked_at = coalesce(c.revoked_at, cast(:now AS timestamptz), statement_timestamp())
"""
_ERASE = (
    text(
        f"""
        UPDATE credentials.credential c SET {_BLANK}
         WHERE {_HOLDER} OR c.device_key_id IN ({_KEYS})
        """  # noqa: S608
    ),
    text(f"DELETE FROM credentials.device_challenge WHERE account_id IN ({_ACCOUNTS})"),  # noqa: S608
    text(f"DELETE FROM credentials.device_key WHERE account_id IN ({_ACCOUNTS})"),  # noqa: S608
)


def export_data(session: Session, subject: Subject) -> dict[str, Any]:
    """Return the codes a person holds and the keys of the account's phones."""
    facts = asdict(subject)
    return {
        "codes": [_code(row) for row in session.execute(_HELD, facts).mappings()],
        "device_keys": [
            {**row, "public_key": to_text(row["public_key"])}
            for row in session.execute(_DEVICE_KEYS, facts).mappings()
        ],
        "device_challenges": [dict(row) for row in session.execute(_CHALLENGES, facts).mappings()],
    }


def _code(row: RowMapping) -> dict[str, Any]:
    sealed, show_key = row["name_sealed"], row["show_key"]
    name = None if sealed is None else crypto.current().open(sealed, place=name_place(row["jti"]))
    kept = {key: row[key] for key in row if key not in ("name_sealed", "show_key")}
    return {**kept, "name": name, "show_key": None if show_key is None else to_text(show_key)}


def erase_data(session: Session, subject: Subject, now: datetime) -> int:
    """Void every code of a person and on their phones, and forget whose it was."""
    facts = {**asdict(subject), "now": now}
    return sum(_changed(session, one, facts) for one in _ERASE)


def _changed(session: Session, statement: Executable, facts: Mapping[str, Any]) -> int:
    return rows_changed(session, statement, facts)
