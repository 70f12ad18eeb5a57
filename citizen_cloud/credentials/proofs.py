"""What phones sign, byte for byte, and how it is checked: P-256, SHA-256, signatures raw r and s.

Three messages, each behind a mark of its own, so that a signature for one is none for another:

- a device, when it is registered, over the server's challenge and its own key;
- a device, for each fresh show key: the link between the two stays with the server;
- a show key, for each showing: over the whole credential, the 30 s step, and a gate's nonce and
  place if there is one. Every part has a fixed length or says it, so no two showings share a text.

Pure: the offline verifier runs this with nothing else behind it.
"""

import base64
import hashlib
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

DEVICE_MARK = b"citizen-cloud device 1\0"
KEY_MARK = b"citizen-cloud key 1\0"
SHOW_MARK = b"citizen-cloud show 1\0"

# A compressed point of P-256 (SEC 1, 2.3.3), and the challenge of a registration.
KEY_BYTES = 33
CHALLENGE_BYTES = 32
SIGNATURE_BYTES = 64
LONGEST_NONCE = 32
HINT_BYTES = 2

STEP_S = 30
# A phone's clock may be this far ahead of the gate's.
AHEAD_S = 5

_CURVE = ec.SECP256R1()
_ECDSA = ec.ECDSA(SHA256())


def device_message(challenge: bytes, device_key: bytes) -> bytes:
    """Return what a device signs with its own key to be registered."""
    return DEVICE_MARK + challenge + device_key


def key_message(show_key: bytes) -> bytes:
    """Return what a device signs for a fresh show key."""
    return KEY_MARK + hashlib.sha256(show_key).digest()


def show_message(
    type: str,  # noqa: A002 - the field's word
    jws: str,
    step: int,
    *,
    nonce: bytes | None = None,
    place_id: UUID | None = None,
) -> bytes:
    """Return what a show key signs for one showing of a credential (its compact JWS)."""
    asked = nonce or b""
    return b"".join(
        (
            SHOW_MARK,
            type.encode("ascii"),
            b"\0",
            hashlib.sha256(jws.encode("ascii")).digest(),
            step.to_bytes(4, "big"),
            bytes([len(asked)]),
            asked,
            place_id.bytes if place_id else b"",
        )
    )


def is_signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether a compressed key signed a message. Never raises, whatever the bytes."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    half = SIGNATURE_BYTES // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    try:
        _point(key).verify(encode_dss_signature(r, s), message, _ECDSA)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_key(key: bytes) -> bool:
    """Return whether the bytes are a compressed point of the curve."""
    try:
        _point(key)
    except ValueError:
        return False
    return True


# Finding the second coordinate costs as much as a signature; a phone shows many times.
@lru_cache(maxsize=1024)
def _point(key: bytes) -> ec.EllipticCurvePublicKey:
    if len(key) != KEY_BYTES:
        raise ValueError("not a compressed point of P-256")
    return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, key)


def hint(bound: bytes) -> bytes:
    """Return two bytes that tell a gate what a showing is bound to; they prove nothing."""
    return hashlib.sha256(bound).digest()[:HINT_BYTES]


def step_at(instant: datetime) -> int:
    """Return the number of the 30 s step an instant is in."""
    return int(instant.timestamp() // STEP_S)


def is_current(step: int, now: datetime) -> bool:
    """Return whether a step is this one, the one before, or the next if it begins in 5 s."""
    current = step_at(now)
    if step == current + 1:
        return step * STEP_S - now.timestamp() <= AHEAD_S
    return step in (current, current - 1)


def to_text(raw: bytes) -> str:
    """Write bytes as JSON carries them: base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Read what ``to_text`` writes, and nothing else. Raises ``ValueError``."""
    raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if to_text(raw) != text:
        raise ValueError("not base64url")
    return raw
