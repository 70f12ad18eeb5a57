"""The word that stands for a shared code: short enough to type, in a QR code's own alphabet."""

import base64
import hashlib
import re

PREFIX = "CS1:"
TOKEN_BYTES = 16
_FORM = re.compile("CS1:[A-Z2-7]{26}")


def token(drawn: bytes) -> str:
    """Return the word of 16 random bytes."""
    return PREFIX + base64.b32encode(drawn).decode().rstrip("=")


def is_token(code: str) -> bool:
    """Return whether a text that was scanned is such a word, and no signed code."""
    return _FORM.fullmatch(code) is not None


def token_hash(word: str) -> bytes:
    """Return what is stored of it."""
    return hashlib.sha256(word.encode()).digest()
