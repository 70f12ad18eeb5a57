"""Base45 (RFC 9285): two bytes as three characters of a QR code's alphanumeric mode."""

import struct

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
# Two characters are one look-up: 45 x 45 of them, lowest first, as they are written.
_PAIRS = [low + high for high in ALPHABET for low in ALPHABET]
_PAIR_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_HIGH_VALUES = {character: value * 45 * 45 for value, character in enumerate(ALPHABET)}
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
    try:
        words = [
            _PAIR_VALUES[text[at : at + 2]] + _HIGH_VALUES[text[at + 2]]
            for at in range(0, count * 3, 3)
        ]
        last = _PAIR_VALUES[text[-2:]] if odd else 0
    except KeyError:
        raise ValueError("not in the alphabet") from None
    try:
        return struct.pack(f">{count}H", *words) + (bytes([last]) if odd else b"")
    except (struct.error, ValueError):
        raise ValueError("more than its bytes hold") from None
