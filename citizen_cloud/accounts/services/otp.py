"""One-time codes by text message, each for one purpose, sent within limits.

Nothing here looks at accounts, so nobody learns from an answer whether a phone is known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts.refusals import PhoneInvalid
from citizen_cloud.accounts.rules import lifetimes
from citizen_cloud.accounts.rules.phones import canonical_phone
from citizen_cloud.accounts.services import devices, networks, sms_spend
from citizen_cloud.accounts.services.devices import DeviceProof, Shown
from citizen_cloud.db import new_id
from citizen_cloud.errors import TooMany
from citizen_cloud.jobs.services import announce
from citizen_cloud.text import Language

REQUESTED = "accounts.otp_requested"
Purpose = Literal["sign_in", "step_up", "new_phone", "counter"]
LIMITS = {
    "resend": lifetimes.OTP_RESEND,
    "lock": lifetimes.OTP_LOCK,
    "life": lifetimes.OTP_LIFE,
    "per_day": lifetimes.OTP_PER_DAY,
    "tries": lifetimes.OTP_TRIES,
    "failures": lifetimes.OTP_FAILURES_PER_DAY,
}


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """A code on its way; what the caller is told about it."""

    challenge_id: UUID
    expires_at: datetime
    resend_at: datetime


_TAKE = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         today AS (SELECT t, cast(t AT TIME ZONE 'Asia/Shanghai' AS date) AS day FROM clock)
    INSERT INTO accounts.otp_day AS d (allowance, day_on, sent, last_sent_at)
    SELECT :allowance, day, 1, t FROM today
     WHERE NOT EXISTS (SELECT 1 FROM accounts.otp_day y
                        WHERE y.allowance = :allowance AND y.day_on = day - 1
                          AND (y.last_sent_at > t - :resend OR y.locked_until > t))
    ON CONFLICT (allowance, day_on) DO UPDATE
       SET sent = d.sent + 1, last_sent_at = excluded.last_sent_at
     WHERE d.sent < :per_day
       AND (d.last_sent_at IS NULL OR d.last_sent_at <= excluded.last_sent_at - :resend)
       AND (d.locked_until IS NULL OR d.locked_until <= excluded.last_sent_at)
    RETURNING last_sent_at AS t
    """
)
_WAIT = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         today AS (SELECT t, cast(t AT TIME ZONE 'Asia/Shanghai' AS date) AS day FROM clock)
    SELECT ceil(extract(epoch FROM max(greatest(
             d.locked_until - t,
             d.last_sent_at + :resend - t,
             CASE WHEN d.sent >= :per_day AND d.day_on = day
                  THEN cast(day + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai' - t END))))
      FROM today JOIN accounts.otp_day d ON d.allowance = :allowance AND d.day_on >= day - 1
    """
)
_CHALLENGE = text(
    """
    INSERT INTO accounts.otp_challenge
           (id, purpose, phone_index, phone_sealed, device_id, allowance, code_hash, created_at,
            expires_at)
    VALUES (:id, :purpose, :phone_index, :phone_sealed, :device_id, :allowance, :code_hash, :t,
            :t + :life)
    """
)


def request_code(
    session: Session,
    *,
    phone: str,
    code: str,
    language: Language,
    purpose: Purpose = "sign_in",
    device: Shown = None,
    network: str | None = None,
    now: datetime | None = None,
) -> Challenge:
    """Send a code: at most one a minute and ten a city day for each allowance.

    A registered device of the phone has its own allowance, so strangers who use up or lock the
    phone's day do not keep its owner out. A code asked for from a proven device is good on that
    device only. Strangers count against their ``network`` (``rules.networks``) besides, where it
    is given. Raises ``PhoneInvalid``, ``TooMany``, ``SmsPaused``.
    """
    canonical = canonical_phone(phone)
    if canonical is None:
        raise PhoneInvalid(errors=[{"pointer": "/phone", "code": "phone_invalid"}])
    device_id = _proven(session, device, canonical)
    allowances = _allowances(session, purpose, canonical, device_id)
    sent_at = [_take(session, allowance, now) for allowance in allowances][-1]
    if device_id is None and network is not None:
        networks.take_code(session, network=network, now=now)
    is_vouched_for = device_id is not None or purpose == "counter"
    sms_spend.take_text(session, is_proven=is_vouched_for, now=now)
    asked = _Asked(purpose=purpose, phone=canonical, device_id=device_id, allowance=allowances[-1])
    challenge = _store(session, asked=asked, code=code, sent_at=sent_at)
    announce(
        session,
        REQUESTED,
        {"challenge_id": challenge.challenge_id},
        secret={"phone": canonical, "code": code, "language": language},
        lane="urgent",
        expires_at=challenge.expires_at,
    )
    return challenge


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a code is bound to, and whose day its failures count on."""

    purpose: Purpose
    phone: str
    device_id: UUID | None
    allowance: bytes


def _proven(session: Session, device: Shown, phone: str) -> UUID | None:
    """Return the device that was proven: by the gate, or as one of an account of this phone."""
    if isinstance(device, DeviceProof):
        return device.id if _is_known(session, device, phone) else None
    return device


_OWNER = text("SELECT account_id FROM accounts.device WHERE id = :id")


def _allowances(
    session: Session, purpose: Purpose, phone: str, device_id: UUID | None
) -> list[bytes]:
    """Return whose days a code counts on; its failures count on the last one's.

    A code to a number that is not one's own yet counts on the number's and on the account's:
    however many devices ask, a number is sent no more than ten, and an account sends no more.
    """
    counter = crypto.current().counter
    if device_id is None:
        return [counter("phone", phone)]
    if purpose == "new_phone":
        account_id = session.execute(_OWNER, {"id": device_id}).scalar_one()
        return [counter("phone", phone), counter("otp.account", str(account_id))]
    return [counter("otp.device", str(device_id))]


def allowances_of(*, account_ids: Iterable[UUID], device_ids: Iterable[UUID]) -> list[bytes]:
    """Return the days that accounts and devices may have used, under every key held."""
    lookups = crypto.current().lookups_of
    return [
        *(index for each in account_ids for index in lookups("otp.account", str(each))),
        *(index for each in device_ids for index in lookups("otp.device", str(each))),
    ]


def _take(session: Session, allowance: bytes, now: datetime | None) -> datetime:
    sent_at: datetime | None = session.scalar(_TAKE, {**LIMITS, "allowance": allowance, "now": now})
    if sent_at is None:
        raise TooMany(retry_after=_seconds_to_wait(session, allowance, now))
    return sent_at


def _store(session: Session, *, asked: _Asked, code: str, sent_at: datetime) -> Challenge:
    rings, challenge_id = crypto.current(), new_id()
    session.execute(
        _CHALLENGE,
        {
            "id": challenge_id,
            "purpose": asked.purpose,
            "phone_index": rings.lookup("phone", asked.phone),
            "phone_sealed": rings.seal(asked.phone, place=phone_place(challenge_id)),
            "device_id": asked.device_id,
            "allowance": asked.allowance,
            "code_hash": code_hash(challenge_id, asked.purpose, code),
            "t": sent_at,
            "life": lifetimes.OTP_LIFE,
        },
    )
    return Challenge(
        challenge_id=challenge_id,
        expires_at=sent_at + lifetimes.OTP_LIFE,
        resend_at=sent_at + lifetimes.OTP_RESEND,
    )


def _is_known(session: Session, device: DeviceProof, phone: str) -> bool:
    indexes = crypto.current().lookups_of("phone", phone)
    return devices.belongs_to_phone(session, proof=device, phone_indexes=indexes)


def _seconds_to_wait(session: Session, allowance: bytes, now: datetime | None) -> int:
    asked = {**LIMITS, "allowance": allowance, "now": now}
    return max(1, int(session.scalar(_WAIT, asked) or 1))


def code_hash(challenge_id: UUID, purpose: Purpose, code: str) -> bytes:
    """Return what is stored of a code: keyed, and bound to its challenge and purpose."""
    return crypto.current().keyed_hash("otp:" + purpose, f"{challenge_id}:{code}")


def code_hashes(challenge_id: UUID, purpose: Purpose, code: str) -> list[bytes]:
    """Return what may be stored of a code: look-up keys change while it is on its way."""
    return crypto.current().keyed_hashes("otp:" + purpose, f"{challenge_id}:{code}")


def phone_place(challenge_id: UUID) -> str:
    """Return what binds a sealed phone to its challenge."""
    return f"accounts.otp_challenge:phone:{challenge_id}"
