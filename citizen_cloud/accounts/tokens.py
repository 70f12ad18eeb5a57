"""Access tokens: signed by PyJWT, checked strictly, the signature's result remembered.

RFC 9068 (``at+jwt``) and RFC 8725: one algorithm, a fixed table of keys, every claim required, no
header that points elsewhere. Time is *not* judged here: the statement that reads the sign-in
compares ``iat`` and ``exp`` with the database's clock, so a worker with a wrong clock lets no
token live longer.
"""

import hashlib
import json
import re
import secrets
from collections import OrderedDict
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm
from jwt.utils import base64url_decode

from citizen_cloud import crypto
from citizen_cloud.accounts.rules.lifetimes import ACCESS_TOKEN
from citizen_cloud.crypto import Crypto
from citizen_cloud.errors import Unauthenticated

ISSUER = "citizen-cloud"
AUDIENCE = "citizen-cloud-api"
TYPE = "at+jwt"
ALGORITHM = "EdDSA"
REQUIRED = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]
HEADER = frozenset({"alg", "kid", "typ"})
LIFE_S = int(ACCESS_TOKEN.total_seconds())
# 64 bytes of Ed25519 leave four unused bits in the last character; only zeros are canonical.
_COMPACT = re.compile(r"[\w-]{20,300}\.[\w-]{20,900}\.[\w-]{85}[AQgw]", re.ASCII)
REMEMBERED = 20_000


class Claims(NamedTuple):
    """What a rightly signed token says; whether it still counts, the database knows."""

    account_id: UUID
    sign_in_id: UUID
    issued_at: int
    expires_at: int


def issue(*, account_id: UUID, sign_in_id: UUID, now: datetime, seconds: int = LIFE_S) -> str:
    """Sign an access token with the present key, for at most ten minutes."""
    kid, seed = crypto.current().tokens.primary
    issued_at = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(account_id),
        "sid": str(sign_in_id),
        "jti": secrets.token_hex(16),
        "iat": issued_at,
        "exp": issued_at + min(seconds, LIFE_S),
    }
    return jwt.encode(claims, _private(seed), ALGORITHM, headers={"kid": kid, "typ": TYPE})


def read(token: str) -> Claims:
    """Return the claims of a rightly signed token. Raises ``Unauthenticated`` for any other.

    An Ed25519 check costs some 300 µs and cannot turn out differently, so its result is kept by
    the token's hash; revocation and expiry are read from the database every time.
    """
    return _signatures.of(crypto.current(), token)


class _Signatures:
    """Results of signature checks by token hash, bounded; the oldest leave first."""

    def __init__(self) -> None:
        self._rings: Crypto | None = None
        self._known: OrderedDict[bytes, Claims] = OrderedDict()

    def of(self, rings: Crypto, token: str) -> Claims:
        if rings is not self._rings:
            # Other keys: what was signed with a removed one must not live on here.
            self._rings = rings
            self._known = OrderedDict()
        known = self._known
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = known.get(digest)
        if claims is None:
            claims = known[digest] = _check(rings, token)
            while len(known) > REMEMBERED:
                known.popitem(last=False)
        return claims


_signatures = _Signatures()


def _check(rings: Crypto, token: str) -> Claims:
    if not _COMPACT.fullmatch(token):
        raise Unauthenticated
    try:
        seed = rings.tokens.keys.get(_kid(token))
        if seed is None:
            raise Unauthenticated
        found = jwt.decode(
            token,
            _public(seed),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={
                "require": REQUIRED,
                "strict_aud": True,
                # Judged by the database's clock.
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
        return _claims(found)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        raise Unauthenticated from error


def _kid(token: str) -> str:
    """Return the key id of a header that holds what we write, once, and nothing else."""
    members: list[tuple[str, Any]] = json.loads(
        base64url_decode(token.partition(".")[0]), object_pairs_hook=list
    )
    header = dict(members)
    if len(members) != len(HEADER) or header.keys() != HEADER:
        raise Unauthenticated
    kid = header["kid"]
    if header["alg"] != ALGORITHM or header["typ"] != TYPE or not isinstance(kid, str):
        raise Unauthenticated
    return kid


def _claims(found: dict[str, Any]) -> Claims:
    """Return the claims in their only form: UUIDs as written by us, whole seconds, capped life."""
    issued_at, expires_at = found["iat"], found["exp"]
    if type(issued_at) is not int or type(expires_at) is not int:
        raise Unauthenticated
    if found.keys() != set(REQUIRED) or not 0 < expires_at - issued_at <= LIFE_S:
        raise Unauthenticated
    for name in ("sub", "sid", "jti"):
        if not isinstance(found[name], str):
            raise Unauthenticated
    # to_timestamp() of a larger number is an error of the database.
    if not 0 < issued_at < 1 << 40:
        raise Unauthenticated
    return Claims(UUID(found["sub"]), UUID(found["sid"]), issued_at, expires_at)


@lru_cache(maxsize=16)
def _private(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=16)
def _public(seed: bytes) -> Ed25519PublicKey:
    return _private(seed).public_key()


def key_set() -> dict[str, list[dict[str, str]]]:
    """Return the public keys that tokens may be signed with (RFC 7517)."""
    keys = []
    for kid, seed in crypto.current().tokens.keys.items():
        jwk: dict[str, str] = OKPAlgorithm.to_jwk(_public(seed), as_dict=True)
        keys.append({**jwk, "kid": kid, "alg": ALGORITHM, "use": "sig"})
    return {"keys": keys}
