"""Devices prove themselves with a secret the server drew; removing one signs it out at once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound

SECRET_BYTES = 32
UNNAMED = "未命名设备"


@dataclass(frozen=True, kw_only=True)
class DeviceProof:
    """What a registered device presents."""

    id: UUID
    secret: str


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A device of a sign-in; the secret is known only when it was just drawn."""

    id: UUID
    secret: str | None = None


def secret_hash(secret: str) -> bytes:
    """Hash a device secret; it has 256 random bits, so a plain hash reveals nothing."""
    return hashlib.sha256(secret.encode()).digest()


_IS_OF_PHONE = text(
    """
    SELECT 1 FROM accounts.device d JOIN accounts.account a ON a.id = d.account_id
     WHERE d.id = :id AND d.secret_hash = :hash AND d.removed_at IS NULL
       AND a.phone_index = ANY(:phones) AND a.status <> 'closed'
    """
)
_ACCOUNT = text(
    """
    SELECT account_id FROM accounts.device
     WHERE id = :id AND secret_hash = :hash AND removed_at IS NULL
    """
)
_SEEN = text(
    """
    UPDATE accounts.device SET last_seen_at = coalesce(:now, statement_timestamp())
     WHERE id = :id AND account_id = :account_id AND secret_hash = :hash AND removed_at IS NULL
    """
)
_ADD = text(
    """
    INSERT INTO accounts.device (id, account_id, name, secret_hash, created_at, last_seen_at)
    VALUES (:id, :account_id, :name, :hash, coalesce(:now, statement_timestamp()),
            coalesce(:now, statement_timestamp()))
    """
)
_REMOVE = text(
    """
    UPDATE accounts.device SET removed_at = coalesce(:now, statement_timestamp())
     WHERE id = :id AND account_id = :account_id AND removed_at IS NULL RETURNING id
    """
)
_REVOKE = text(
    """
    UPDATE accounts.sign_in
       SET revoked_at = coalesce(:now, statement_timestamp()), revoked_because = 'device_removed'
     WHERE device_id = :id AND revoked_at IS NULL
    """
)


def belongs_to_phone(
    session: Session | Connection, *, proof: DeviceProof, phone_indexes: list[bytes]
) -> bool:
    """Return whether this is a registered device of an account with the phone."""
    asked = {"id": proof.id, "hash": secret_hash(proof.secret), "phones": phone_indexes}
    return session.scalar(_IS_OF_PHONE, asked) is not None


def account_of(session: Session | Connection, *, proof: DeviceProof) -> UUID | None:
    """Return whose registered device this is; None where the proof fails."""
    asked = {"id": proof.id, "hash": secret_hash(proof.secret)}
    account_id: UUID | None = session.scalar(_ACCOUNT, asked)
    return account_id


def recognise_or_add(
    session: Session,
    *,
    account_id: UUID,
    proof: DeviceProof | None,
    name: str | None,
    now: datetime | None = None,
) -> Registered:
    """Return the proven device, or register a new one.

    A proof that fails is no refusal: the factors were right, and an app whose device was removed
    must get in again. It starts as a stranger, with an id and secret of its own.
    """
    if proof is not None:
        asked = {"id": proof.id, "account_id": account_id, "hash": secret_hash(proof.secret)}
        if session.execute(_SEEN, {**asked, "now": now}).rowcount:  # type: ignore[attr-defined]
            return Registered(id=proof.id)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    device = Registered(id=new_id(), secret=secret)
    facts = {"id": device.id, "account_id": account_id, "name": name or UNNAMED, "now": now}
    session.execute(_ADD, {**facts, "hash": secret_hash(secret)})
    return device


def remove_device(
    session: Session, *, account_id: UUID, device_id: UUID, kind: str, now: datetime | None = None
) -> None:
    """Forget a device and end its sign-ins. Raises ``NotFound`` for anybody else's."""
    asked = {"id": device_id, "account_id": account_id, "now": now}
    if session.scalar(_REMOVE, asked) is None:
        raise NotFound
    session.execute(_REVOKE, {"id": device_id, "now": now})
    record(
        session,
        Act(
            actor_kind=kind,
            actor_id=account_id,
            action="accounts.device_removed",
            object_type="device",
            object_id=device_id,
        ),
    )
