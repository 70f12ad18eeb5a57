"""Base45 (RFC 9285): two bytes as three characters of a QR code's alphanumeric mode."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(raw: bytes) -> str:
    """Return the text. It never ends with a space, so trimming it changes nothing."""
    parts = []
    for start in range(0, len(raw), 2):
        chunk = raw[start : start + 2]
        rest, low = divmod(int.from_bytes(chunk, "big"), 45)
        high, middle = divmod(rest, 45)
        parts.append(ALPHABET[low] + ALPHABET[middle] + ALPHABET[high] * (len(chunk) - 1))
    return "".join(parts)


def decode(text: str) -> bytes:
    """Return the bytes. Raises ``ValueError`` for whatever ``encode`` does not write."""
    if len(text) % 3 == 1:
        raise ValueError("no whole number of bytes")
    raw = bytearray()
    for start in range(0, len(text), 3):
        chunk = text[start : start + 3]
        value = 0
        for character in reversed(chunk):
            if character not in _VALUES:
                raise ValueError("not in the alphabet")
            value = value * 45 + _VALUES[character]
        size = len(chunk) - 1
        if value >= 256**size:
            raise ValueError("more than its bytes hold")
        raw += value.to_bytes(size, "big")
    return bytes(raw)
