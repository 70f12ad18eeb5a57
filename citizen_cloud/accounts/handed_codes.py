"""Codes that are handed over once: long enough that a plain hash of them reveals nothing.

All hold at least 112 random bits (OWASP ASVS 5.0, 6.5.2), so no key is needed to hash them, and
a rotation of keys makes none of them invalid.
"""

import base64
import hashlib
import secrets

SENT_BYTES = 24
TYPED_BYTES = 15
GROUP = 4


def drawn() -> str:
    """Return a code of 192 bits, to be sent or copied."""
    return secrets.token_urlsafe(SENT_BYTES)


def drawn_to_type() -> str:
    """Return a code of 120 bits, to be kept on paper and typed: ``ABCD-…`` in six groups."""
    letters = base64.b32encode(secrets.token_bytes(TYPED_BYTES)).decode()
    return "-".join(letters[start : start + GROUP] for start in range(0, len(letters), GROUP))


def hash_of(code: str) -> bytes:
    """Return what is stored of a code."""
    return hashlib.sha256(code.encode()).digest()


def hash_of_typed(code: str) -> bytes:
    """Return what is stored of a typed code, whatever its case, dashes and spaces."""
    return hash_of("".join(code.upper().replace("-", "").split()))
