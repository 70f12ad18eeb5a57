"""One signed file with all an offline verifier must know: keys, revocations, void codes, ends.

Signed by a key of trust, whose public half a gate pins once; the keys that sign codes come and go
inside. So one file got while there was a network is enough until the gate's own patience ends.
"""

import json
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt

from citizen_cloud.credentials.claims import Claims
from citizen_cloud.credentials.proofs import from_text
from citizen_cloud.credentials.verifier.reading import ALGORITHM, Keys, header_of, keys_of

ISSUER = "citizen-cloud"
TYP = "snapshot+jwt"
CLAIMS = {"iss", "iat", "exp", "number", "keys", "revoked_keys", "void"}
# Not in a file of before there was an end; one that a gate still holds is as good as it was.
ENDED = "ended_types"
PREFIX_BYTES = 8
# Six million void codes; the bound keeps garbage cheap.
LONGEST = 64 * 2**20


class SnapshotInvalid(Exception):
    """Not a snapshot of the roots that are pinned, or an older one; the message says why."""


@dataclass(frozen=True, kw_only=True)
class KeyRevoked:
    """A key that signs nothing any more, whatever the date on a code."""

    kid: str
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What was so at ``issued_at``."""

    number: int
    issued_at: datetime
    # Online a newer one is to be had from here on; offline the gate's maximum age decides.
    fresh_until: datetime
    keys: Keys
    revoked_keys: Mapping[str, KeyRevoked]
    # Sorted prefixes of the ids of void codes, one behind the other.
    void: bytes
    # Types of codes whose service ended: what was issued before the instant counts no more, and
    # nothing at all where there is none.
    ended_types: Mapping[str, datetime | None] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str, roots: Keys, *, at_least: int = 0) -> "Snapshot":
        """Return a genuine snapshot. Raises ``SnapshotInvalid``, also below a number held already.

        An older file is genuine too, and knows less: who could bring one back would make revoked
        codes good again.
        """
        claims = _signed(text, roots)
        try:
            snapshot = cls(**_members(claims))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise SnapshotInvalid("its members are not those of a snapshot") from error
        if snapshot.number < at_least:
            raise SnapshotInvalid(f"number {snapshot.number} is older than {at_least}, held here")
        return snapshot

    def is_void(self, jti: UUID) -> bool:
        """Return whether a code was revoked or suspended."""
        prefix = jti.bytes[:PREFIX_BYTES]
        count = len(self.void) // PREFIX_BYTES
        place = bisect_left(range(count), prefix, key=self._entry)
        return place < count and self._entry(place) == prefix

    def is_ended(self, claims: Claims) -> bool:
        """Return whether the code's service ended since it was issued."""
        if claims.type not in self.ended_types:
            return False
        counts_from = self.ended_types[claims.type]
        return counts_from is None or claims.issued_at < counts_from

    def _entry(self, number: int) -> bytes:
        return self.void[number * PREFIX_BYTES : (number + 1) * PREFIX_BYTES]


def _signed(text: str, roots: Keys) -> dict[str, Any]:
    if len(text) > LONGEST or not text.isascii():
        raise SnapshotInvalid("not a compact JWS")
    header = header_of(text)
    if header is None or header["typ"] != TYP:
        raise SnapshotInvalid("not a snapshot")
    root = roots.get(header["kid"])
    if root is None:
        raise SnapshotInvalid("signed by a key that is not among the roots")
    try:
        claims = json.loads(jwt.PyJWS().decode(text, root, algorithms=[ALGORITHM]))
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise SnapshotInvalid("the signature is wrong") from error
    if not isinstance(claims, dict) or claims.keys() - {ENDED} != CLAIMS or claims["iss"] != ISSUER:
        raise SnapshotInvalid("its members are not those of a snapshot")
    return claims


def _members(claims: dict[str, Any]) -> dict[str, Any]:
    number = claims["number"]
    if type(number) is not int or number < 0:
        raise ValueError("no number")
    revoked = {
        one["kid"]: KeyRevoked(kid=one["kid"], at=_instant(one["at"]), reason=str(one["reason"]))
        for one in claims["revoked_keys"]
    }
    return {
        "number": number,
        "issued_at": _instant(claims["iat"]),
        "fresh_until": _instant(claims["exp"]),
        "keys": keys_of({"keys": claims["keys"]}),
        "revoked_keys": revoked,
        "void": _sorted(from_text(claims["void"])),
        "ended_types": {
            str(type_): None if at is None else _instant(at)
            for type_, at in claims.get(ENDED, {}).items()
        },
    }


def _instant(value: Any) -> datetime:
    if type(value) is not int:
        raise TypeError("no instant")
    return datetime.fromtimestamp(value, UTC)


def _sorted(void: bytes) -> bytes:
    """Return the prefixes if they are whole and in order: a search finds nothing otherwise."""
    entries = [void[start : start + PREFIX_BYTES] for start in range(0, len(void), PREFIX_BYTES)]
    if len(void) % PREFIX_BYTES or entries != sorted(entries):
        raise ValueError("the void codes are not in order")
    return void
