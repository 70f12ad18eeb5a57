"""How the chain is hashed. Pure; the order of fields is part of the format.

Format 2 covers every column of an entry and of its seal. Format 1, of seals made before it, left
out an entry's transaction and the time of sealing; it is still read.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

GENESIS = hashlib.sha256(b"citizen-cloud audit chain").digest()
REST_BYTES = 16
# The act of a database that went on in another cluster: transactions are numbered anew from it.
MOVED = "audit.moved"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

# What an entry says, without its salt, as it is hashed: ids as text, its instant in microseconds.
COLUMNS = """
    e.id::text, e.xid, (extract(epoch FROM e.at) * 1000000)::bigint AS at_us, e.actor_kind,
    e.actor_id::text, e.action, e.object_type, e.object_id::text, e.organisation_id::text,
    e.payload::text
"""
WIDTH = 10


class Told(NamedTuple):
    """The fields of an entry, in the order of ``COLUMNS``."""

    id: str | None
    xid: int
    at_us: int
    actor_kind: str
    actor_id: str | None
    action: str
    object_type: str
    object_id: str | None
    organisation_id: str | None
    payload: str | None


def instant(microseconds: int) -> datetime:
    """Return an instant from the number the database gives for it."""
    return _EPOCH + timedelta(microseconds=microseconds)


def digest(told: Iterable[object], salt: bytes) -> bytes:
    """Hash one entry with its salt."""
    return hashlib.sha256(salt + _encode(list(told)).encode()).digest()


def first_digest(told: Told, salt: bytes) -> bytes:
    """Hash one entry as format 1 did."""
    fields = [
        str(told.id),
        instant(told.at_us).isoformat(),
        told.actor_kind,
        str(told.actor_id),
        told.action,
        told.object_type,
        str(told.object_id),
        str(told.organisation_id),
        told.payload,
    ]
    return hashlib.sha256(salt + _encode(fields).encode()).digest()


def rest(told: Told) -> bytes:
    """Hash what an erasure leaves of an entry: an order to erase vouches for the rest."""
    return hashlib.sha256(_encode(list(told[:-1])).encode()).digest()[:REST_BYTES]


def link(prev: bytes, number: int, of_entry: bytes, sealed_us: int) -> bytes:
    """Return the hash of one link."""
    tail = number.to_bytes(8, "big", signed=True), of_entry, sealed_us.to_bytes(8, "big")
    return hashlib.sha256(prev + b"".join(tail)).digest()


def first_link(prev: bytes, number: int, of_entry: bytes, _sealed_us: int) -> bytes:
    """Return the hash of one link as format 1 made it."""
    return hashlib.sha256(prev + number.to_bytes(8, "big", signed=True) + of_entry).digest()


Linking = Callable[[bytes, int, bytes, int], bytes]


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Return rising numbers as closed ranges."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found
