"""ID tokens of an upstream: checked with joserfc against its key set (OpenID Connect Core 3.1.3.7).

Only keys of the configured upstream count: whatever a token's header points at is not followed.
The key set is kept, and asked for again when a token names a key that is not in it.
"""

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey
from joserfc.jws import JWSRegistry, extract_compact

from citizen_cloud.federation.providers.wire import Wire
from citizen_cloud.federation.rules import is_subject

# Signatures of the upstream's private key only: neither ``none`` nor a shared secret.
ALGORITHMS = {"RSA": ("RS256", "PS256"), "EC": ("ES256",)}
ALLOWED = [name for names in ALGORITHMS.values() for name in names]
# Thumbprints are common and harmless; nothing that brings a key along, or asks for more, is read.
HEADER = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
FEWEST_BITS = 2048
LONGEST = 16_384
LEEWAY_S = 60
OLDEST_S = 600
KEEP_S = 3_600.0
# A token with an invented kid must not make us ask for the keys at every sign-in.
PAUSE_S = 5.0
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class IdTokenInvalid(Exception):
    """The token is not believed; ``reason`` is a word of ours, for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UpstreamKeys:
    """The key set of an upstream, kept for an hour; a key it does not hold is asked for once."""

    def __init__(self, wire: Wire, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._wire = wire
        self._monotonic = monotonic
        self._keys: list[Key] = []
        self._asked_at = float("-inf")

    def find(self, url: str, kid: str | None) -> Key:
        """Return a key by its id. Raises ``IdTokenInvalid`` or ``ProviderUnavailable``."""
        age = self._monotonic() - self._asked_at
        found = self._known(kid)
        if age > KEEP_S or (found is None and age > PAUSE_S):
            self._keys = self._read(url)
            self._asked_at = self._monotonic()
            found = self._known(kid)
        if found is None:
            raise IdTokenInvalid("kid")
        return found

    def _known(self, kid: str | None) -> Key | None:
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.kid == kid), None)

    def _read(self, url: str) -> list[Key]:
        answer = self._wire.ask("GET", url)
        if not answer.is_success:
            raise self._wire.failed(f"key set: status {answer.status}")
        said = self._wire.object_of(answer.content)
        try:
            keys = KeySet.import_key_set(said).keys  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            raise self._wire.failed("key set") from None
        return [key for key in keys if _is_good(key)]


def _is_good(key: Key) -> bool:
    """Return whether a key may sign ID tokens: asymmetric, long enough, not for encryption."""
    if key.get("use", "sig") != "sig":
        return False
    if isinstance(key, RSAKey):
        return key.raw_value.key_size >= FEWEST_BITS
    return isinstance(key, ECKey) and key.curve_name == "P-256"


def checked_claims(
    token: object,
    *,
    find: Callable[[str | None], Key],
    issuer: str,
    client_id: str,
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the claims of a token that is this upstream's, for us, for this start, and in time.

    Raises ``IdTokenInvalid``.
    """
    if not isinstance(token, str) or len(token) > LONGEST or not _COMPACT.fullmatch(token):
        raise IdTokenInvalid("form")
    claims = _verified(token, find)
    faults = {
        "iss": claims.get("iss") != issuer,
        "aud": not _is_for(claims, client_id),
        "nonce": claims.get("nonce") != nonce,
        "sub": not is_subject(claims.get("sub")),
        "time": not _is_in_time(claims, int(now.timestamp())),
    }
    for reason, is_fault in faults.items():
        if is_fault:
            raise IdTokenInvalid(reason)
    return claims


def _verified(token: str, find: Callable[[str | None], Key]) -> dict[str, Any]:
    registry = JWSRegistry(algorithms=ALLOWED)
    try:
        header = _header(token)
        key = find(header.get("kid"))
        if header.get("alg") not in ALGORITHMS.get(key.key_type, ()):
            raise IdTokenInvalid("alg")
        return jwt.decode(token, key, algorithms=[header["alg"]], registry=registry).claims
    except (JoseError, ValueError, TypeError, RecursionError):
        raise IdTokenInvalid("signature") from None


def _header(token: str) -> dict[str, Any]:
    """Return the header, which may name algorithm, key and type, and point nowhere."""
    header = extract_compact(token.encode()).headers()
    kid = header.get("kid")
    if header.keys() - HEADER or not (kid is None or isinstance(kid, str)):
        raise IdTokenInvalid("header")
    return header


def _is_for(claims: dict[str, Any], client_id: str) -> bool:
    """Return whether we are the audience, and the authorized party where one is named."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client_id not in audiences:
        return False
    party = claims.get("azp")
    return party == client_id if party is not None else len(audiences) == 1


def _is_in_time(claims: dict[str, Any], now: int) -> bool:
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    not_before = claims.get("nbf", 0)
    # Whole seconds: no boolean, no text, no fraction.
    if not all(type(each) is int for each in (issued_at, expires_at, not_before)):
        return False
    is_new = now - OLDEST_S <= issued_at <= now + LEEWAY_S  # type: ignore[operator]
    return bool(is_new and expires_at > now - LEEWAY_S and not_before <= now + LEEWAY_S)  # type: ignore[operator]
