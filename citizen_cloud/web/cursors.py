"""Opaque keyset cursors: the sort keys of the last row, signed so that nobody makes one up."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import orjson

from citizen_cloud import crypto
from citizen_cloud.errors import Malformed
from citizen_cloud.text import Text

MAC_BYTES = 12


class BadCursor(Malformed):
    """The cursor was not made here, or belongs to another list."""

    code = "cursor_invalid"
    title = Text("翻页标记无效", "Invalid cursor")
    detail = Text("翻页标记无效，请从第一页开始。", "Start again from the first page.")


def encode(listing: str, keys: Sequence[Any]) -> str:
    """Return the cursor behind a row with these sort keys, for one list."""
    body = orjson.dumps(list(keys), default=str)
    return base64.urlsafe_b64encode(_macs(listing, body)[0] + body).rstrip(b"=").decode()


def decode(listing: str, cursor: str) -> list[Any]:
    """Return the sort keys. Raises ``BadCursor``."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadCursor from error
    mac, body = raw[:MAC_BYTES], raw[MAC_BYTES:]
    if not any(crypto.same(mac, each) for each in _macs(listing, body)):
        raise BadCursor
    return list(orjson.loads(body))


def _macs(listing: str, body: bytes) -> list[bytes]:
    """Return the marks under every key held, the present one first."""
    hashes = crypto.current().keyed_hashes("cursor:" + listing, body.hex())
    return [each[:MAC_BYTES] for each in hashes]
