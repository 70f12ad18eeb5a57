"""Register the key of a phone: a challenge, a proof that the phone holds the key, one key each."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import record
from citizen_cloud.credentials import proofs
from citizen_cloud.credentials.refusals import (
    ChallengeUnknown,
    DeviceKeyRefused,
    DeviceKeyTaken,
    ProofRefused,
)
from citizen_cloud.credentials.services.devices import (
    COLUMNS,
    DeviceKey,
    act,
    end_device_keys,
    key_of,
)
from citizen_cloud.errors import NotFound
from citizen_cloud.jobs.services import announce

REGISTERED = "credentials.device_registered"


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """What a phone signs to be registered, once and soon."""

    id: UUID
    challenge: bytes
    expires_at: datetime


# One open challenge per device, so that asking again and again leaves nothing behind.
_CHALLENGE = text(
    """
    WITH t AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS now),
    gone AS (DELETE FROM credentials.device_challenge WHERE device_id = :device_id)
    INSERT INTO credentials.device_challenge
           (account_id, device_id, challenge, created_at, expires_at)
    SELECT :account_id, :device_id, :challenge, t.now, t.now + interval '5 minutes'
      FROM t, accounts.device d
     WHERE d.id = :device_id AND d.account_id = :account_id AND d.removed_at IS NULL
    RETURNING id, challenge, expires_at
    """
)
_SPEND = text(
    """
    DELETE FROM credentials.device_challenge
     WHERE id = :id AND account_id = :account_id AND device_id = :device_id
    RETURNING challenge,
              expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp()) AS is_open
    """
)
# Held until the commit: two registrations of a phone, or one and its removal, follow each other.
_HOLD = text(
    """
    SELECT 1 FROM accounts.device
     WHERE id = :device_id AND account_id = :account_id AND removed_at IS NULL
       FOR NO KEY UPDATE
    """
)
_BY_KEY = text(
    f"""
    SELECT {COLUMNS}, k.account_id = :account_id AND k.device_id = :device_id
                       AND k.ended_at IS NULL AS is_own
      FROM credentials.device_key k WHERE k.public_key = :public_key
    """  # noqa: S608 - no part of it comes from outside
)
_ADD = text(
    f"""
    INSERT INTO credentials.device_key AS k (account_id, device_id, public_key, created_at)
    VALUES (:account_id, :device_id, :public_key,
            coalesce(cast(:now AS timestamptz), statement_timestamp()))
    ON CONFLICT (public_key) DO NOTHING
    RETURNING {COLUMNS}
    """  # noqa: S608
)


def challenge(
    connection: Session | Connection,
    *,
    account_id: UUID,
    device_id: UUID,
    now: datetime | None = None,
) -> Challenge:
    """Draw what a phone signs to be registered; the last challenge of the phone is void.

    One statement. Raises ``NotFound`` for a device that is removed or somebody else's.
    """
    facts = {"account_id": account_id, "device_id": device_id, "now": now}
    drawn = secrets.token_bytes(proofs.CHALLENGE_BYTES)
    row = connection.execute(_CHALLENGE, {**facts, "challenge": drawn}).mappings().first()
    if row is None:
        raise NotFound
    return Challenge(**row)


def register_device_key(
    session: Session,
    *,
    account_id: UUID,
    device_id: UUID,
    challenge_id: UUID,
    public_key: bytes,
    proof: bytes,
    now: datetime | None = None,
) -> DeviceKey:
    """Register the key of a phone that proves to hold it; the phone's last key ends.

    A challenge is spent by the first try, also by one that fails. The same phone sending the same
    key again gets it back. Raises ``DeviceKeyRefused``, ``ChallengeUnknown``, ``ProofRefused``;
    ``DeviceKeyTaken`` for a key that is, or ever was, another phone's or an ended one.
    """
    if not proofs.is_key(public_key):
        raise DeviceKeyRefused
    device = {"account_id": account_id, "device_id": device_id, "now": now}
    if session.scalar(_HOLD, device) is None:
        raise NotFound
    _require_proof(session, device, challenge_id, public_key, proof)
    asked = {**device, "public_key": public_key}
    known = session.execute(_BY_KEY, asked).mappings().first()
    if known is not None:
        if known["is_own"]:
            return key_of({name: value for name, value in known.items() if name != "is_own"})
        raise DeviceKeyTaken
    end_device_keys(session, account_id=account_id, device_id=device_id, reason="replaced", now=now)
    row = session.execute(_ADD, asked).mappings().first()
    if row is None:
        raise DeviceKeyTaken
    news = {"account_id": account_id, "device_id": device_id}
    announce(session, REGISTERED, news, lane="urgent")
    record(session, act("device_registered", account_id, row["id"]))
    return key_of(dict(row))


def _require_proof(
    session: Session,
    device: Mapping[str, object],
    challenge_id: UUID,
    public_key: bytes,
    proof: bytes,
) -> None:
    asked = {**device, "id": challenge_id}
    spent = session.execute(_SPEND, asked).mappings().first()
    if spent is None or not spent["is_open"]:
        raise ChallengeUnknown
    message = proofs.device_message(spent["challenge"], public_key)
    if not proofs.is_signed(public_key, proof, message):
        raise ProofRefused().but_record(lambda later: later.execute(_SPEND, asked))
