"""Base45 (RFC 9285): two bytes as three characters of a QR code's alphanumeric mode."""

import struct

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
# Two characters are one look-up: 45 x 45 of them, lowest first, as they are written.
_PAIRS = [low + high for high in ALPHABET for low in ALPHABET]
# Each character's value; what is not in the alphabet stands out.
_UNKNOWN = 255
_VALUES = bytes(
    ALPHABET.index(chr(code)) if chr(code) in ALPHABET else _UNKNOWN for code in range(256)
)
_PAIR = len(_PAIRS)


def encode(raw: bytes) -> str:
    """Return the text. It never ends with a space, so trimming it changes nothing."""
    count, odd = divmod(len(raw), 2)
    words = struct.unpack_from(f">{count}H", raw)
    text = "".join([_PAIRS[word % _PAIR] + ALPHABET[word // _PAIR] for word in words])
    return text + _PAIRS[raw[-1]] if odd else text


def decode(text: str) -> bytes:
    """Return the bytes. Raises ``ValueError`` for whatever ``encode`` does not write."""
    count, odd = divmod(len(text), 3)
    if odd == 1:
        raise ValueError("no whole number of bytes")
    # A character beyond ASCII is a ``ValueError`` as well.
    values = text.encode("ascii").translate(_VALUES)
    if _UNKNOWN in values:
        raise ValueError("not in the alphabet")
    whole = values[: count * 3]
    thirds = zip(whole[::3], whole[1::3], whole[2::3], strict=True)
    words = [low + 45 * middle + 2025 * high for low, middle, high in thirds]
    last = values[-2] + 45 * values[-1] if odd else 0
    try:
        return struct.pack(f">{count}H", *words) + (bytes([last]) if odd else b"")
    except (struct.error, ValueError):
        raise ValueError("more than its bytes hold") from None
