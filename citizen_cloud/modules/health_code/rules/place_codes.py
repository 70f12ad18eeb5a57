"""The code a place shows: which place, which five minutes, and a mark nobody else can make. Pure.

``CCP1:`` and base45 of place id (16) ‖ step (u32) ‖ the first ten bytes of HMAC-SHA256 over both
under the place's own secret: 50 characters of a QR code's alphanumeric mode, a symbol of version 3
at level M.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from citizen_cloud.credentials import base45

PREFIX = "CCP1:"
STEP_S = 300
MAC_BYTES = 10
ID_BYTES, STEP_BYTES = 16, 4
RAW_BYTES = ID_BYTES + STEP_BYTES + MAC_BYTES
DOMAIN = b"citizen-cloud place 1\0"
# What the text may look like; bounds what is read at all.
LENGTH = len(PREFIX) + RAW_BYTES // 2 * 3

Fault = Literal["malformed", "wrong_place", "forged", "stale"]


@dataclass(frozen=True, kw_only=True)
class PlaceCode:
    """A code taken apart, its mark not yet looked at."""

    place_id: UUID
    step: int
    mac: bytes


def step_of(at: datetime) -> int:
    """Return the number of the five minutes an instant lies in."""
    return int(at.timestamp()) // STEP_S


def begins_at(step: int) -> datetime:
    """Return when a step begins."""
    return datetime.fromtimestamp(step * STEP_S, UTC)


def accepted_until(step: int) -> datetime:
    """Return when a code of this step is taken no more: its own five minutes and the next."""
    return begins_at(step) + timedelta(seconds=2 * STEP_S)


def written(secret: bytes, place_id: UUID, step: int) -> str:
    """Return the code of a place for one step."""
    raw = place_id.bytes + step.to_bytes(STEP_BYTES, "big") + _mac(secret, place_id, step)
    return PREFIX + base45.encode(raw)


def read(text: str) -> PlaceCode | None:
    """Take a code apart; None for whatever ``written`` does not write."""
    if len(text) != LENGTH or not text.startswith(PREFIX):
        return None
    try:
        raw = base45.decode(text.removeprefix(PREFIX))
    except ValueError:
        return None
    return PlaceCode(
        place_id=UUID(bytes=raw[:ID_BYTES]),
        step=int.from_bytes(raw[ID_BYTES:-MAC_BYTES], "big"),
        mac=raw[-MAC_BYTES:],
    )


def fault_of(
    code: PlaceCode | None, *, place_id: UUID, secret: bytes, at: datetime
) -> Fault | None:
    """Return why a code does not count here and now; None where it does.

    A picture of a genuine code is told apart from a made-up one, so that its holder knows to scan
    the screen. Neither leads to anything else.
    """
    if code is None:
        return "malformed"
    if code.place_id != place_id:
        return "wrong_place"
    if not hmac.compare_digest(code.mac, _mac(secret, place_id, code.step)):
        return "forged"
    return None if step_of(at) - code.step in (0, 1) else "stale"


def _mac(secret: bytes, place_id: UUID, step: int) -> bytes:
    signed = DOMAIN + place_id.bytes + step.to_bytes(STEP_BYTES, "big")
    return hmac.digest(secret, signed, hashlib.sha256)[:MAC_BYTES]
