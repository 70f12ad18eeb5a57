"""Refresh tokens: opaque to clients, hashed at rest, each yielding the next.

A token is ``sign-in ‖ number ‖ secret``. Only the hash of the present secret is stored, and each
secret yields its successor under a key derived from the token ring. That gives three things at
once: a repeated refresh (its answer was lost) gets the *same* successor though no token lies in
the database; parallel ones get one successor; and an old token is recognised as a true one of its
family, because following its chain leads to the stored hash. So a made-up token that names a known
sign-in revokes nobody.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from citizen_cloud import crypto

SECRET_BYTES = 32
NUMBER_BYTES = 4
TOKEN_BYTES = 16 + NUMBER_BYTES + SECRET_BYTES
# A family refreshes every ten minutes for at most thirty days: 4,320 times.
LONGEST_CHAIN = 10_000


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token taken apart."""

    sign_in_id: UUID
    number: int
    secret: bytes

    @property
    def hash(self) -> bytes:
        """Return what is stored of it; 256 random bits need no key."""
        return hashlib.sha256(self.secret).digest()

    def written(self) -> str:
        """Return the token as clients hold it."""
        number = self.number.to_bytes(NUMBER_BYTES, "big")
        raw = self.sign_in_id.bytes + number + self.secret
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def successor(self, key: bytes) -> "RefreshToken":
        """Return the token that follows this one under a key."""
        message = self.sign_in_id.bytes + self.number.to_bytes(NUMBER_BYTES, "big") + self.secret
        return RefreshToken(self.sign_in_id, self.number + 1, hmac.digest(key, message, "sha256"))


def parse(token: str) -> RefreshToken | None:
    """Take a refresh token apart; None when it has not our form."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != TOKEN_BYTES:
        return None
    number = int.from_bytes(raw[16 : 16 + NUMBER_BYTES], "big")
    return RefreshToken(UUID(bytes=raw[:16]), number, raw[16 + NUMBER_BYTES :])


@lru_cache(maxsize=16)
def _chain_key(seed: bytes) -> bytes:
    """Derive the chain's key, so that the signing seed serves one algorithm only."""
    return HKDF(SHA256(), 32, salt=None, info=b"refresh-token chain").derive(seed)


def _chain_keys() -> list[bytes]:
    return [_chain_key(seed) for seed in crypto.current().tokens.keys.values()]


def first(sign_in_id: UUID) -> RefreshToken:
    """Draw the first token of a family."""
    return RefreshToken(sign_in_id, 1, secrets.token_bytes(SECRET_BYTES))


def successor(token: RefreshToken) -> RefreshToken:
    """Return the token that follows, under the present key."""
    return token.successor(_chain_keys()[0])


def present(token: RefreshToken, *, number: int, stored: bytes) -> RefreshToken | None:
    """Return the family's present token if the one given is a true forerunner of it."""
    steps = number - token.number
    if not 0 < steps <= LONGEST_CHAIN:
        return None
    return next((end for end in _ends(token, steps) if crypto.same(end.hash, stored)), None)


def _ends(token: RefreshToken, steps: int) -> Iterator[RefreshToken]:
    for key in _chain_keys():
        end = token
        for _ in range(steps):
            end = end.successor(key)
        yield end
