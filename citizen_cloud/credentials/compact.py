"""A JWS as a QR code carries it, and back, bit for bit.

``CC1:`` + base45(length of the header, header, payload, signature): the raw parts, because base64
inside base45 costs a third more. The JWS comes back exactly, so any JOSE library can check it.

Measured at error correction level M: a voucher is 298 characters and QR version 10 (57 x 57
modules); its JWS written out as text would need version 12.
"""

import base64

from citizen_cloud.credentials import base45

PREFIX = "CC1:"
# Longer texts are no codes of ours; the bound keeps garbage cheap.
LONGEST = 1024
SIGNATURE_BYTES = 64


class NotACode(Exception):
    """The text is not of our form."""


def pack(jws: str) -> str:
    """Return the text of a compact JWS (RFC 7515) signed with Ed25519."""
    header, payload, signature = (_raw(part) for part in jws.split("."))
    return PREFIX + base45.encode(bytes([len(header)]) + header + payload + signature)


def unpack(text: str) -> str:
    """Return the compact JWS of a text. Raises ``NotACode``."""
    if not text.startswith(PREFIX) or len(text) > LONGEST:
        raise NotACode
    try:
        raw = base45.decode(text.removeprefix(PREFIX))
    except ValueError as error:
        raise NotACode from error
    end = 1 + raw[0] if raw else 0
    if end < 2 or len(raw) <= end + SIGNATURE_BYTES:  # noqa: PLR2004 - a header of one byte or more
        raise NotACode
    parts = raw[1:end], raw[end:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
    return ".".join(_text(part) for part in parts)


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
