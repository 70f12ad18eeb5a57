"""The keys that sign codes: seeds from the credential ring, public halves for everybody.

They are apart from the keys of logins: another ring, other names (``c.`` before the ring's own),
another document. A login token is no code, and a code no login, whatever the rings hold. Keys of
trust (``t.``) are a third ring: they sign what verifiers are told of these keys, never a code.
"""

import base64
from collections.abc import Collection
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from citizen_cloud import crypto

MARK = "c."
TRUST_MARK = "t."


@lru_cache(maxsize=64)
def _key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


@lru_cache(maxsize=64)
def _public(seed: bytes) -> Ed25519PublicKey:
    return _key(seed).public_key()


def names() -> list[str]:
    """Return the names of the keys held, the one that signs new codes first."""
    return [MARK + kid for kid in crypto.current().credentials.keys]


def private_key(kid: str) -> Ed25519PrivateKey | None:
    """Return a key by its public name, None where it was taken away."""
    seed = crypto.current().credentials.keys.get(kid.removeprefix(MARK))
    return _key(seed) if seed is not None and kid.startswith(MARK) else None


def public_keys() -> dict[str, Ed25519PublicKey]:
    """Return the keys a verifier needs, newest first."""
    ring = crypto.current().credentials.keys
    return {MARK + kid: _public(seed) for kid, seed in ring.items()}


def document(revoked: Collection[str] = ()) -> dict[str, list[dict[str, str]]]:
    """Return the key set (RFC 7517) of Ed25519 keys (RFC 8037), without those that are revoked."""
    return _key_set({kid: key for kid, key in public_keys().items() if kid not in revoked})


def trust_key() -> tuple[str, Ed25519PrivateKey]:
    """Return the name and the key that sign snapshots."""
    kid, seed = crypto.current().trust.primary
    return TRUST_MARK + kid, _key(seed)


def roots() -> dict[str, Ed25519PublicKey]:
    """Return the keys that gates pin, newest first."""
    ring = crypto.current().trust.keys
    return {TRUST_MARK + kid: _public(seed) for kid, seed in ring.items()}


def roots_document() -> dict[str, list[dict[str, str]]]:
    """Return the key set that gates pin."""
    return _key_set(roots())


def _key_set(held: dict[str, Ed25519PublicKey]) -> dict[str, list[dict[str, str]]]:
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode(),
                "kid": kid,
                "alg": "EdDSA",
                "use": "sig",
            }
            for kid, key in held.items()
        ]
    }
