"""A JWS as a QR code carries it, and back, bit for bit.

``CC1:`` + base45(length of the header, header, payload, signature): the raw parts, because base64
inside base45 costs a third more. The JWS comes back exactly, so any JOSE library can check it.

``CC2:`` is a credential as it is *shown*: between the length and the header a byte of flags (bound
to a nonce, to a place), behind the signature the 30 s step, two bytes of hint for each thing it
is bound to, and the signature of the show key (``proofs``).

Measured at error correction level M: a voucher is 298 characters and QR version 10 (57 x 57
modules); its JWS written out as text would need version 12. A health code shown with nonce and
place is at most 471 characters and version 13 with a key named like ``c.k1``; 483 would fit, so
a key may be named with up to ten characters.
"""

import base64
from dataclasses import dataclass
from uuid import UUID

from citizen_cloud.credentials import base45
from citizen_cloud.credentials.proofs import HINT_BYTES, hint

PREFIX = "CC1:"
SHOWN_PREFIX = "CC2:"
# Longer texts are no codes of ours; the bound keeps garbage cheap.
LONGEST = 1024
# What a QR code of version 13 holds at level M, in the alphanumeric mode.
FITS_VERSION_13 = 483
SIGNATURE_BYTES = 64
STEP_BYTES = 4
BOUND_TO_NONCE = 1
BOUND_TO_PLACE = 2


class NotACode(Exception):
    """The text is not of our form."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What a phone adds when it shows: nothing here is proven before its signature is."""

    step: int
    signature: bytes
    nonce_hint: bytes | None = None
    place_hint: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """A text taken apart: the credential's JWS, and the proof if it was shown with one."""

    jws: str
    proof: Proof | None = None


def pack(jws: str) -> str:
    """Return the text of a compact JWS (RFC 7515) signed with Ed25519."""
    header, payload, signature = _parts(jws)
    return PREFIX + base45.encode(bytes([len(header)]) + header + payload + signature)


def pack_shown(
    jws: str,
    *,
    step: int,
    signature: bytes,
    nonce: bytes | None = None,
    place_id: UUID | None = None,
) -> str:
    """Return the text of one showing: what a phone draws."""
    header, payload, signed = _parts(jws)
    flags = (BOUND_TO_NONCE if nonce else 0) | (BOUND_TO_PLACE if place_id else 0)
    hints = (hint(nonce) if nonce else b"") + (hint(place_id.bytes) if place_id else b"")
    opening = bytes([len(header), flags]) + header + payload + signed
    return SHOWN_PREFIX + base45.encode(
        opening + step.to_bytes(STEP_BYTES, "big") + hints + signature
    )


def unpack(text: str) -> str:
    """Return the compact JWS of a text without proof. Raises ``NotACode``."""
    scanned = scan(text)
    if scanned.proof is not None:
        raise NotACode
    return scanned.jws


def scan(text: str) -> Scanned:
    """Take a text apart, with or without proof. Raises ``NotACode``."""
    if len(text) > LONGEST or not text.startswith((PREFIX, SHOWN_PREFIX)):
        raise NotACode
    try:
        raw = base45.decode(text[len(PREFIX) :])
    except ValueError as error:
        raise NotACode from error
    if text.startswith(PREFIX):
        return Scanned(jws=_jws(raw[:1], raw[1:]))
    return _shown(raw)


def _shown(raw: bytes) -> Scanned:
    flags = raw[1] if len(raw) > 1 else 0
    bound = [bool(flags & BOUND_TO_NONCE), bool(flags & BOUND_TO_PLACE)]
    tail = STEP_BYTES + HINT_BYTES * sum(bound) + SIGNATURE_BYTES
    if flags & ~(BOUND_TO_NONCE | BOUND_TO_PLACE) or len(raw) < tail:
        raise NotACode
    proof, hints = raw[-tail:], raw[-tail:][STEP_BYTES:-SIGNATURE_BYTES]
    return Scanned(
        jws=_jws(raw[:1], raw[2:-tail]),
        proof=Proof(
            step=int.from_bytes(proof[:STEP_BYTES], "big"),
            signature=proof[-SIGNATURE_BYTES:],
            nonce_hint=hints[:HINT_BYTES] if bound[0] else None,
            place_hint=hints[-HINT_BYTES:] if bound[1] else None,
        ),
    )


def _jws(length: bytes, rest: bytes) -> str:
    """Join header, payload and signature as a JWS is written."""
    end = length[0] if length else 0
    if not end or len(rest) <= end + SIGNATURE_BYTES:
        raise NotACode
    parts = rest[:end], rest[end:-SIGNATURE_BYTES], rest[-SIGNATURE_BYTES:]
    return ".".join(_text(part) for part in parts)


def _parts(jws: str) -> list[bytes]:
    return [_raw(part) for part in jws.split(".")]


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
