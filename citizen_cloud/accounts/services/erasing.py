"""Forget a person in every table of this room.

Erasure blanks what identifies and keeps what others point at: the account is closed, the person's
row stays without document, name or quota key. Who comes back with the same document is a new
person; their used-up quota still counts, because allowances keep the key themselves.
"""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.otp import allowances_of
from citizen_cloud.accounts.services.personal_data import (
    ACCOUNTS,
    CODES,
    DEVICES,
    people_of,
    phone_indexes,
    rows_of,
)
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import rows_changed
from citizen_cloud.jobs.services import withdraw
from citizen_cloud.manifest import Subject

_ERASE = (
    text("DELETE FROM accounts.recovery_code WHERE account_id = ANY(:ids)"),
    text("DELETE FROM accounts.reset WHERE account_id = ANY(:ids)"),
    text("UPDATE accounts.reset SET asked_by = NULL WHERE asked_by = ANY(:ids)"),
    text(
        """
        UPDATE accounts.reset
           SET confirmed_by = NULL, code_hash = NULL,
               ended_at = coalesce(ended_at, used_at, cast(:now AS timestamptz))
         WHERE confirmed_by = ANY(:ids)
        """
    ),
    text("DELETE FROM accounts.binding WHERE account_id = ANY(:ids) AND bound_at IS NULL"),
    # Whoever is gone decides nothing; what he decided stays, under a row that names nobody.
    text(
        """
        UPDATE accounts.binding SET ended_at = cast(:now AS timestamptz)
         WHERE (account_id = ANY(:ids) OR person_id = ANY(:people)) AND ended_at IS NULL
        """
    ),
    text("DELETE FROM accounts.data_access WHERE person_id = ANY(:people)"),
    text("UPDATE accounts.data_access SET reader_id = NULL WHERE reader_id = ANY(:ids)"),
    text("DELETE FROM accounts.otp_challenge WHERE phone_index = ANY(:phones)"),
    text("DELETE FROM accounts.otp_challenge WHERE device_id = ANY(:devices)"),
    text("DELETE FROM accounts.otp_day WHERE allowance = ANY(:allowances)"),
    text("DELETE FROM accounts.honey_person WHERE person_id = ANY(:people)"),
    text("DELETE FROM accounts.consent_receipt WHERE account_id = ANY(:ids)"),
    text("DELETE FROM accounts.consent WHERE account_id = ANY(:ids)"),
    text("DELETE FROM accounts.sign_in WHERE account_id = ANY(:ids)"),
    text("DELETE FROM accounts.device WHERE account_id = ANY(:ids)"),
    text(
        """
        UPDATE accounts.person
           SET document_sealed = NULL, document_index = NULL, name_sealed = NULL,
               person_key = NULL, erased_at = :now
         WHERE id = ANY(:people) AND erased_at IS NULL
        """
    ),
    text(
        """
        UPDATE accounts.account
           SET status = 'closed', phone_sealed = NULL, phone_index = NULL, username = NULL,
               display_name_sealed = NULL, password_hash = NULL, totp_sealed = NULL,
               next_totp_sealed = NULL
         WHERE id = ANY(:ids)
        """
    ),
)


def erase_data(session: Session, subject: Subject, now: datetime) -> int:
    """Forget an account or person in every table of this room; return how many rows changed.

    Its tokens are refused from the next request on. Erasing twice changes nothing more.
    """
    accounts = session.execute(ACCOUNTS, asdict(subject)).mappings().all()
    ids = [row["id"] for row in accounts if row["status"] != "closed"]
    people = people_of(accounts, subject)
    devices = [row["id"] for row in rows_of(session, DEVICES, ids=ids)]
    phones = phone_indexes(accounts)
    facts = {
        "ids": ids,
        "people": people,
        "devices": devices,
        "phones": phones,
        "allowances": [*phones, *allowances_of(account_ids=ids, device_ids=devices)],
        "now": now,
    }
    # A code on its way to the phone is dropped, and the number with it.
    asked_for = [str(row["id"]) for row in rows_of(session, CODES, phones=phones, devices=devices)]
    withdraw(session, key="challenge_id", values=asked_for, now=now)
    for account_id in ids:
        record(session, _act(account_id))
    return sum(rows_changed(session, statement, facts) for statement in _ERASE)


def _act(account_id: UUID) -> Act:
    return Act(
        actor_kind="system",
        actor_id=None,
        action="accounts.erased",
        object_type="account",
        object_id=account_id,
    )
