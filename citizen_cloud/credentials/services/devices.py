"""Keys that phones hold: which count, what they sign for, and how they end.

A device key ends with the phone's registration, when it is reported lost, or when the same phone
registers another one; every code it signed for ends in the same transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.refusals import (
    ProofRefused,
    ShowKeyRefused,
)
from citizen_cloud.db import first_row
from citizen_cloud.errors import NotFound
from citizen_cloud.jobs.services import announce

LOST = "credentials.device_lost"
Reason = Literal["removed", "lost", "replaced"]


@dataclass(frozen=True, kw_only=True)
class DeviceKey:
    """A registered key. ``ended_reason`` is None while it counts."""

    id: UUID
    device_id: UUID
    public_key: bytes
    created_at: datetime
    ended_at: datetime | None = None
    ended_reason: str | None = None


COLUMNS = "k.id, k.device_id, k.public_key, k.created_at, k.ended_at, k.ended_reason"
_LIVE = text(
    f"""
    SELECT {COLUMNS} FROM credentials.device_key k
      JOIN accounts.device d ON d.id = k.device_id AND d.removed_at IS NULL
     WHERE k.account_id = :account_id AND k.device_id = :device_id AND k.ended_at IS NULL
    """  # noqa: S608
)
# Driver-level SQL: this is read for every code that is given out.
_OWN = """
    SELECT id, public_key FROM credentials.device_key
     WHERE account_id = %(account_id)s AND device_id = %(device_id)s AND ended_at IS NULL
"""
_OF_ACCOUNT = text(
    f"""
    SELECT {COLUMNS} FROM credentials.device_key k
     WHERE k.account_id = :account_id AND k.ended_at IS NULL ORDER BY k.id
    """  # noqa: S608
)
_END = text(
    """
    UPDATE credentials.device_key k
       SET ended_at = coalesce(cast(:now AS timestamptz), statement_timestamp()),
           ended_reason = :reason
     WHERE k.account_id = :account_id AND k.ended_at IS NULL
       AND (cast(:device_id AS uuid) IS NULL OR k.device_id = :device_id)
       AND (NOT :only_signed_out OR NOT EXISTS (
            SELECT 1 FROM accounts.sign_in s JOIN accounts.device d ON d.id = s.device_id
             WHERE s.device_id = k.device_id AND s.revoked_at IS NULL AND d.removed_at IS NULL))
    RETURNING k.id
    """
)
# In one order, as everybody locks codes who ends several (``held``).
_HOLD_CODES = text(
    """
    SELECT jti FROM credentials.credential
     WHERE device_key_id = ANY(:ids) AND revoked_at IS NULL ORDER BY jti FOR NO KEY UPDATE
    """
)
_END_CODES = text(
    """
    UPDATE credentials.credential
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE device_key_id = ANY(:ids) AND revoked_at IS NULL
    """
)


def live_device_key(
    connection: Session | Connection, *, account_id: UUID, device_id: UUID
) -> DeviceKey | None:
    """Return the key of one phone of an account, None where it has none that counts."""
    asked = {"account_id": account_id, "device_id": device_id}
    row = connection.execute(_LIVE, asked).mappings().first()
    return None if row is None else key_of(dict(row))


class OwnKey(NamedTuple):
    """The key of the phone that asks."""

    id: UUID
    public_key: bytes


def own_key(
    connection: Session | Connection, *, account_id: UUID, device_id: UUID
) -> OwnKey | None:
    """Return the key of the phone that somebody was just authenticated on; None without one."""
    row = first_row(connection, _OWN, {"account_id": account_id, "device_id": device_id})
    return None if row is None else OwnKey(*row)


def device_keys_of(connection: Session | Connection, *, account_id: UUID) -> list[DeviceKey]:
    """Return the keys of an account that count."""
    rows = connection.execute(_OF_ACCOUNT, {"account_id": account_id}).mappings()
    return [key_of(dict(row)) for row in rows]


def prove_show_key(device_key: bytes, *, show_key: bytes, proof: bytes) -> None:
    """Let pass a fresh show key that the phone's key signed for.

    Raises ``ShowKeyRefused`` for what is no point of the curve, and ``ProofRefused``.
    """
    if not proofs.is_key(show_key) or show_key == device_key:
        raise ShowKeyRefused
    if not proofs.is_signed(device_key, proof, proofs.key_message(show_key)):
        raise ProofRefused


def report_lost(
    session: Session, *, account_id: UUID, device_id: UUID, now: datetime | None = None
) -> None:
    """End the key of a phone that its owner misses, and every code on it; the owner is told.

    Raises ``NotFound`` where that phone of theirs has no key.
    """
    ended = end_device_keys(
        session, account_id=account_id, device_id=device_id, reason="lost", now=now
    )
    if not ended:
        raise NotFound
    news = {"account_id": account_id, "device_id": device_id}
    announce(session, LOST, news, lane="urgent")
    record(session, act("device_lost", account_id, ended[0]))


def end_device_keys(
    session: Session,
    *,
    account_id: UUID,
    device_id: UUID | None = None,
    reason: Reason,
    only_signed_out: bool = False,
    now: datetime | None = None,
) -> list[UUID]:
    """End the keys of an account, or of one phone, and every code they signed for; return them.

    ``only_signed_out`` spares phones on which somebody is signed in.
    """
    asked = {"account_id": account_id, "device_id": device_id, "reason": reason, "now": now}
    found = session.execute(_END, {**asked, "only_signed_out": only_signed_out})
    ids: list[UUID] = list(found.scalars())
    if ids:
        session.execute(_HOLD_CODES, {"ids": ids})
        session.execute(_END_CODES, {"ids": ids, "now": now})
    return ids


def key_of(row: dict[str, object]) -> DeviceKey:
    """Return a row of ``COLUMNS`` as a key."""
    return DeviceKey(**row)  # type: ignore[arg-type]


def act(action: str, account_id: UUID, key_id: UUID) -> Act:
    """Return what the trail keeps of a change of a key."""
    return Act(
        actor_kind="citizen",
        actor_id=account_id,
        action=f"credentials.{action}",
        object_type="device_key",
        object_id=key_id,
    )
