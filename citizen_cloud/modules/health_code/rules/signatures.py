"""Who really sent a batch: the source's own key over its exact bytes. Pure."""

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

HEADER = "Source-Signature"
PREFIX = b"citizen-cloud batch 1\0"
ED25519, ES256 = "Ed25519", "ES256"
ALGORITHMS = (ED25519, ES256)
KEY_BYTES = {ED25519: 32, ES256: 33}
SIGNATURE_BYTES = 64


def message(reference: str, content: bytes, *, partial: bool) -> bytes:
    """Return what is signed: which batch, whether wrong rows may be left out, and every byte.

    The reference is the source's own id of the batch; the content is the JSON body or the file.
    """
    mode = b"partial" if partial else b"whole"
    return b"\0".join((PREFIX[:-1], reference.encode(), mode, hashlib.sha256(content).digest()))


def decoded(text: str) -> bytes | None:
    """Read base64url without padding; None where it is none."""
    try:
        return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None


def key_of(algorithm: str, text: str) -> bytes | None:
    """Return a public key's bytes if they are one of this algorithm."""
    raw = decoded(text)
    if raw is None or len(raw) != KEY_BYTES[algorithm]:
        return None
    try:
        _load(algorithm, raw)
    except ValueError:
        return None
    return raw


def is_signed(*, algorithm: str, public_key: bytes, signature: bytes, signed: bytes) -> bool:
    """Return whether the key made this signature: 64 bytes, of ES256 as r ‖ s."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        key = _load(algorithm, public_key)
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            half = SIGNATURE_BYTES // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            key.verify(encode_dss_signature(r, s), signed, ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def _load(algorithm: str, raw: bytes) -> Ed25519PublicKey | EllipticCurvePublicKey:
    if algorithm == ED25519:
        return Ed25519PublicKey.from_public_bytes(raw)
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), raw)
