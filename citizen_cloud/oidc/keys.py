"""The provider's key set in the memory of a process, and what is done with it.

The set is read from the database at most once a minute, so that all processes change over together.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key

from citizen_cloud.oidc.rules.lifetimes import KEYS_CACHED_S

ALGORITHMS = ("RS256", "ES256")


class TokenUnreadable(Exception):
    """An ID token that was not signed here."""


@dataclass(frozen=True, kw_only=True)
class Signer:
    """The private key that signs with one algorithm now."""

    kid: str
    private_jwk: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProviderKeys:
    """The keys that are shown, and those that sign."""

    public: tuple[Mapping[str, Any], ...]
    signers: Mapping[str, Signer]

    @property
    def key_set(self) -> dict[str, list[dict[str, Any]]]:
        """Return what clients read (RFC 7517)."""
        return {"keys": [dict(jwk) for jwk in self.public]}

    def sign(self, claims: Mapping[str, Any], *, alg: str) -> str:
        """Return a signed JWT."""
        signer = self.signers[alg]
        header = {"alg": alg, "kid": signer.kid, "typ": "JWT"}
        key = import_key(dict(signer.private_jwk))
        return jwt.encode(header, dict(claims), key, [alg])

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims of a token signed here, however old. Raises ``TokenUnreadable``."""
        known: Any = self.key_set
        try:
            return dict(jwt.decode(token, KeySet.import_key_set(known), list(ALGORITHMS)).claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise TokenUnreadable from error


_remembered: list[tuple[float, ProviderKeys]] = []


def remembered() -> ProviderKeys | None:
    """Return the set this process has read within the last minute."""
    if not _remembered or time.monotonic() - _remembered[0][0] >= KEYS_CACHED_S:
        return None
    return _remembered[0][1]


def remember(found: ProviderKeys) -> ProviderKeys:
    """Keep a set that is committed in the database."""
    _remembered[:] = [(time.monotonic(), found)]
    return found


def forget() -> None:
    """Read the database again at the next use."""
    _remembered.clear()
