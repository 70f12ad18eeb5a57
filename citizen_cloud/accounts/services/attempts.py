"""Attempts at a password: the account's row is locked, and failures are counted on it.

A registered device has a count of its own: strangers who guess at a name pause strangers only.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.refusals import CredentialsInvalid
from citizen_cloud.accounts.rules.lifetimes import FREE_FAILURES, lock_after
from citizen_cloud.accounts.services import devices
from citizen_cloud.accounts.services.devices import Shown
from citizen_cloud.audit.services import Act, record
from citizen_cloud.errors import Refusal

Row = dict[str, Any]

# A row comes back for nobody as well: reading one costs time, and time must not tell who exists.
_LOCK = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         found AS MATERIALIZED (
            SELECT id, kind, status, username, password_hash, totp_sealed, totp_confirmed_at,
                   totp_step, failures, locked_until > t AS is_locked, password_until, t
              FROM clock, accounts.account WHERE id = :id FOR UPDATE OF account)
    SELECT * FROM found
     UNION ALL
    SELECT NULL, 'staff', 'active', 'nobody', 'none', NULL, t, 1, 0, false, NULL, t
      FROM clock WHERE NOT EXISTS (SELECT FROM found)
    """
)
_KNOWN = text(
    """
    SELECT id AS device_id, failures, locked_until > :t AS is_locked FROM accounts.device
     WHERE id = :device_id AND account_id = :account_id AND removed_at IS NULL
       AND (:is_let_in OR secret_hash = :device_hash)
    """
)
# By whether a registered device proved itself.
_COUNT = {
    False: text(
        "UPDATE accounts.account SET failures = :failures, locked_until = :until WHERE id = :id"
    ),
    True: text(
        "UPDATE accounts.device SET failures = :failures, locked_until = :until "
        "WHERE id = :device_id"
    ),
}


def locked(session: Session, account_id: UUID, device: Shown, now: datetime | None) -> Row | None:
    """Lock the account and return it with the failures that count for this device."""
    found = session.execute(_LOCK, {"id": account_id, "now": now}).mappings().one()
    row: Row = {**found, "device_id": None}
    if row["id"] is None:
        return None
    if device is not None:
        asked = {**devices.shown(device), "account_id": account_id, "t": row["t"]}
        row |= session.execute(_KNOWN, asked).mappings().first() or {}
    return row


def count(session: Session, row: Row, failures: int, until: datetime | None) -> None:
    """Write down how many attempts failed in a row, and until when the next ones wait."""
    counted = {"failures": failures, "until": until, "id": row["id"], "device_id": row["device_id"]}
    session.execute(_COUNT[row["device_id"] is not None], counted)


def failed(session: Session, row: Row) -> Refusal:
    """Count one failure and return the refusal that every failure gets."""
    failures = min(row["failures"] + 1, 1000)
    lock = lock_after(failures)
    count(session, row, failures, row["t"] + lock if lock else None)
    if failures == FREE_FAILURES:
        record(session, _act("sign_in_failing", "stranger", None, row["id"], row["kind"]))
    return CredentialsInvalid()


def _act(verb: str, actor_kind: str, actor_id: UUID | None, account_id: UUID, kind: str) -> Act:
    return Act(
        actor_kind=actor_kind,
        actor_id=actor_id,
        action=f"accounts.{verb}",
        object_type="account",
        object_id=account_id,
        payload={"kind": kind},
    )
