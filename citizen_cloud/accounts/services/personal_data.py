"""Give a person everything this room holds about them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import (
    device_name_place,
    display_name_place,
    document_place,
    name_place,
    phone_place,
)
from citizen_cloud.accounts.services.otp import allowances_of
from citizen_cloud.manifest import Subject

ACCOUNTS = text(
    """
    SELECT id, kind, status, phone_sealed, username, display_name_sealed, person_id, language,
           created_at
      FROM accounts.account WHERE id = :account_id OR person_id = :person_id ORDER BY id
    """
)
_PERSON = text(
    """
    SELECT id, document_type, document_sealed, name_sealed, level, verified_by, verified_at,
           created_at
      FROM accounts.person WHERE id = ANY(:ids) AND erased_at IS NULL
    """
)
DEVICES = text(
    """
    SELECT id, name_sealed, created_at, last_seen_at, proven_at, removed_at
      FROM accounts.device WHERE account_id = ANY(:ids) ORDER BY id
    """
)
_SIGN_INS = text(
    """
    SELECT id, device_id, amr, created_at, rotated_at, expires_at, revoked_at, revoked_because
      FROM accounts.sign_in WHERE account_id = ANY(:ids) ORDER BY id
    """
)
_CONSENTS = text(
    """
    SELECT account_id, purpose, version, granted_at, withdrawn_at
      FROM accounts.consent WHERE account_id = ANY(:ids) ORDER BY purpose, version
    """
)
_RECEIPTS = text(
    """
    SELECT id, purpose, version, granted, encode(text_digest, 'hex') AS text_digest, method, at,
           withdrawn_at
      FROM accounts.consent_receipt WHERE account_id = ANY(:ids) ORDER BY id
    """
)
CODES = text(
    """
    SELECT id, purpose, tries, created_at, expires_at, spent_at
      FROM accounts.otp_challenge
     WHERE phone_index = ANY(:phones) OR device_id = ANY(:devices) ORDER BY id
    """
)
_CODE_DAYS = text(
    """
    SELECT day_on, sent, last_sent_at, failures, locked_until
      FROM accounts.otp_day WHERE allowance = ANY(:allowances) ORDER BY day_on
    """
)
_RECOVERY_CODES = text(
    """
    SELECT created_at, used_at FROM accounts.recovery_code WHERE account_id = ANY(:ids)
     ORDER BY used_at, code_hash
    """
)
_RESETS = text(
    """
    SELECT id, created_at, confirmed_at, expires_at, used_at, ended_at,
           account_id = ANY(:ids) AS is_own
      FROM accounts.reset
     WHERE account_id = ANY(:ids) OR asked_by = ANY(:ids) OR confirmed_by = ANY(:ids) ORDER BY id
    """
)
_BINDINGS = text(
    """
    SELECT id, account_id, asked_at, expires_at, bound_at, ended_at,
           account_id = ANY(:ids) AS is_own
      FROM accounts.binding
     WHERE account_id = ANY(:ids) OR person_id = ANY(:people) ORDER BY id
    """
)
_LOOKS = text(
    """
    SELECT id, at, reader_kind, organisation_id, purpose, categories, basis_type, basis_id, outcome
      FROM accounts.data_access WHERE person_id = ANY(:ids) ORDER BY id
    """
)


def export_data(session: Session, subject: Subject) -> dict[str, Any]:
    """Return everything this room holds of an account or person, opened for its owner."""
    accounts = session.execute(ACCOUNTS, asdict(subject)).mappings().all()
    ids = [row["id"] for row in accounts]
    people = people_of(accounts, subject)
    devices = rows_of(session, DEVICES, ids=ids)
    phones = phone_indexes(accounts)
    device_ids = [row["id"] for row in devices]
    allowances = [*phones, *allowances_of(account_ids=ids, device_ids=device_ids)]
    return {
        "accounts": [_account(row) for row in accounts],
        "persons": [_person(row) for row in session.execute(_PERSON, {"ids": people}).mappings()],
        "devices": [_device(row) for row in devices],
        "sign_ins": rows_of(session, _SIGN_INS, ids=ids),
        "consents": rows_of(session, _CONSENTS, ids=ids),
        "codes": rows_of(session, CODES, phones=phones, devices=device_ids),
        "consent_receipts": rows_of(session, _RECEIPTS, ids=ids),
        "code_days": rows_of(session, _CODE_DAYS, allowances=allowances),
        "recovery_codes": rows_of(session, _RECOVERY_CODES, ids=ids),
        "resets": rows_of(session, _RESETS, ids=ids),
        "staff_accounts": rows_of(session, _BINDINGS, ids=ids, people=people),
        "looks_at_your_data": rows_of(session, _LOOKS, ids=people),
    }


def people_of(accounts: Sequence[RowMapping], subject: Subject) -> list[UUID]:
    """Return the persons meant: those of the accounts, and one who has no account."""
    found = {row["person_id"] for row in accounts} | {subject.person_id}
    return sorted(person_id for person_id in found if person_id is not None)


def rows_of(session: Session, statement: Any, **asked: Any) -> list[dict[str, Any]]:
    """Return what a statement finds, as rows of a bundle."""
    return [dict(row) for row in session.execute(statement, asked).mappings()]


def _account(row: RowMapping) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("id", "kind", "status", "username", "language")},
        "created_at": row["created_at"],
        "phone": _opened(row["phone_sealed"], phone_place(row["id"])),
        "display_name": _opened(row["display_name_sealed"], display_name_place(row["id"])),
    }


def _device(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name != "name_sealed"}
    return {**kept, "name": _opened(row["name_sealed"], device_name_place(row["id"]))}


def _person(row: RowMapping) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("id", "document_type", "level", "verified_by")},
        "verified_at": row["verified_at"],
        "created_at": row["created_at"],
        "document_number": _opened(row["document_sealed"], document_place(row["id"])),
        "name": _opened(row["name_sealed"], name_place(row["id"])),
    }


def _opened(sealed: bytes | None, place: str) -> str | None:
    return None if sealed is None else crypto.current().open(sealed, place=place)


def phone_indexes(accounts: Any) -> list[bytes]:
    """Return every blind index of the accounts' numbers, under old keys as well."""
    phones = [_opened(row["phone_sealed"], phone_place(row["id"])) for row in accounts]
    return [
        index for phone in phones if phone for index in crypto.current().lookups_of("phone", phone)
    ]
