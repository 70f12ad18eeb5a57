"""The phones of an account that may show codes by themselves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from citizen_cloud.accounts.rules.consents import HEALTH_CODE
from citizen_cloud.accounts.services import devices
from citizen_cloud.accounts.services.consents import require_consent
from citizen_cloud.audit.services import record
from citizen_cloud.credentials import services as credentials
from citizen_cloud.credentials.services import Challenge, DeviceKey
from citizen_cloud.credentials.services.devices import act
from citizen_cloud.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A device with a key that counts."""

    device_id: UUID
    registered_at: datetime


def _phone(key: DeviceKey) -> Phone:
    return Phone(device_id=key.device_id, registered_at=key.created_at)


def challenge(
    session: Session, *, account_id: UUID, device_id: UUID, now: datetime | None = None
) -> Challenge:
    """Draw what this phone signs to be registered. Raises ``ConsentRequired``."""
    require_consent(session, account_id=account_id, purpose=HEALTH_CODE)
    return credentials.challenge(session, account_id=account_id, device_id=device_id, now=now)


def has_any(session: Session, *, account_id: UUID) -> bool:
    """Return whether any phone of an account is registered already."""
    return bool(credentials.device_keys_of(session, account_id=account_id))


def register(
    session: Session,
    *,
    account_id: UUID,
    device_id: UUID,
    challenge_id: UUID,
    public_key: bytes,
    proof: bytes,
    now: datetime | None = None,
) -> Phone:
    """Register this phone's key; raises what ``register_device_key`` does."""
    require_consent(session, account_id=account_id, purpose=HEALTH_CODE)
    key = credentials.register_device_key(
        session,
        account_id=account_id,
        device_id=device_id,
        challenge_id=challenge_id,
        public_key=public_key,
        proof=proof,
        now=now,
    )
    return _phone(key)


def phones_of(session: Session, *, account_id: UUID) -> list[Phone]:
    """Return the phones of an account."""
    return [_phone(key) for key in credentials.device_keys_of(session, account_id=account_id)]


def remove(
    session: Session, *, account_id: UUID, device_id: UUID, now: datetime | None = None
) -> None:
    """End a phone's key, and every code on it. Raises ``NotFound``."""
    ended = credentials.end_device_keys(
        session, account_id=account_id, device_id=device_id, reason="removed", now=now
    )
    if not ended:
        raise NotFound
    record(session, act("device_removed", account_id, ended[0]))


def report_lost(
    session: Session, *, account_id: UUID, device_id: UUID, now: datetime | None = None
) -> None:
    """End a phone's key and every code on it, and sign the phone out. Raises ``NotFound``."""
    credentials.report_lost(session, account_id=account_id, device_id=device_id, now=now)
    devices.remove_device(
        session, account_id=account_id, device_id=device_id, kind="citizen", now=now
    )
