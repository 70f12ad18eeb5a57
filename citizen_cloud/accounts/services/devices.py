"""Devices prove themselves with a secret the server drew; removing one signs it out at once.

A new device of an account that belongs to a person is told to the others: its owner may not be
the person.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.identity import device_name_place
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id, rows_changed
from citizen_cloud.errors import NotFound
from citizen_cloud.jobs.services import announce

SECRET_BYTES = 32
ADDED = "accounts.device_added"
# Whatever ends sign-ins says so: rooms above end what else a phone may do.
SIGN_INS_ENDED = "accounts.sign_ins_ended"


@dataclass(frozen=True, kw_only=True)
class DeviceProof:
    """What a registered device presents."""

    id: UUID
    secret: str


# A proof, or the id of a device whose token the gate let in; None for a stranger.
Shown = DeviceProof | UUID | None


def shown(device: Shown) -> dict[str, object]:
    """Return what a statement needs to judge a device."""
    if isinstance(device, DeviceProof):
        hashed = secret_hash(device.secret)
        return {"device_id": device.id, "device_hash": hashed, "is_let_in": False}
    return {"device_id": device, "device_hash": None, "is_let_in": device is not None}


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
# Whether somebody is to be told: asked on the way, for every sign-in of a new device needs it.
_ADD = text(
    """
    INSERT INTO accounts.device (id, account_id, name_sealed, secret_hash, created_at, last_seen_at)
    VALUES (:id, :account_id, :name, :hash, coalesce(:now, statement_timestamp()),
            coalesce(:now, statement_timestamp()))
    RETURNING EXISTS (SELECT 1 FROM accounts.account a
                        JOIN accounts.device o ON o.account_id = a.id AND o.removed_at IS NULL
                       WHERE a.id = :account_id AND a.person_id IS NOT NULL)
    """
)
_NAME = text(
    """
    UPDATE accounts.device SET name_sealed = :name
     WHERE id = :id AND account_id = :account_id AND removed_at IS NULL
    RETURNING id, created_at, last_seen_at
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
     WHERE device_id = :id AND account_id = :account_id AND revoked_at IS NULL
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
        if rows_changed(session, _SEEN, {**asked, "now": now}):
            return Registered(id=proof.id)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    device = Registered(id=new_id(), secret=secret)
    sealed = crypto.current().seal(name, place=device_name_place(device.id)) if name else None
    facts = {"id": device.id, "account_id": account_id, "name": sealed, "now": now}
    if session.scalar(_ADD, {**facts, "hash": secret_hash(secret)}):
        news = {"account_id": account_id, "device_id": device.id}
        announce(session, ADDED, news, lane="urgent")
    return device


def name_device(
    session: Session, *, account_id: UUID, device_id: UUID, name: str
) -> dict[str, object]:
    """Give a device another name; return it as listed. Raises ``NotFound`` for anybody else's."""
    sealed = crypto.current().seal(name, place=device_name_place(device_id))
    asked = {"id": device_id, "account_id": account_id, "name": sealed}
    row = session.execute(_NAME, asked).mappings().first()
    if row is None:
        raise NotFound
    return {**row, "name": name}


def remove_device(
    session: Session, *, account_id: UUID, device_id: UUID, kind: str, now: datetime | None = None
) -> None:
    """Forget a device and end its sign-ins. Raises ``NotFound`` for anybody else's."""
    asked = {"id": device_id, "account_id": account_id, "now": now}
    # Sign-ins before the device, as a refresh under way locks them.
    session.execute(_REVOKE, asked)
    if session.scalar(_REMOVE, asked) is None:
        raise NotFound
    announce(session, SIGN_INS_ENDED, {"account_id": account_id}, lane="urgent")
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
