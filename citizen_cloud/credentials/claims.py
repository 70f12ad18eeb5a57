"""What each type of code says: exactly these members, in this order, and no others.

A member more would be a value that a venue could remember; a member less would be a code that
says something else. So both who signs and who reads go by this table.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from citizen_cloud.credentials.proofs import KEY_BYTES, from_text, to_text

TYPES: dict[str, tuple[str, ...]] = {
    "voucher": ("jti", "iat", "nbf", "exp"),
    # Of a device: counts only with the proof of its show key.
    "hc": ("jti", "iat", "exp", "c", "k"),
    # Of a client without a device key, for 60 s.
    "ht": ("jti", "iat", "exp", "c"),
    # On paper, shown with the document: the surname and a star.
    "hp": ("jti", "iat", "exp", "c", "n"),
}
PROVEN = frozenset({"hc"})
COLOURS = frozenset({"green", "yellow", "red"})
LONGEST_LIFE = timedelta(days=400)
LONGEST_NAME = 16
JTI_BYTES = 16


class NotClaims(Exception):
    """Not what a code of this type says."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a code says, once its signature is proven."""

    type: str
    jti: UUID
    kid: str
    issued_at: datetime
    # The issue itself where the type has no other beginning.
    not_before: datetime
    expires_at: datetime
    colour: str | None = None
    show_key: bytes | None = None
    name: str | None = None


def jti_text(jti: UUID) -> str:
    """Write an id as codes carry it: 22 characters."""
    return to_text(jti.bytes)


def payload(type: str, members: Mapping[str, Any]) -> bytes:  # noqa: A002 - the field's word
    """Return the bytes to sign: the type's members in their order, compact, as UTF-8."""
    ordered = {name: members[name] for name in TYPES[type]}
    return json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()


def signed(type: str, kid: str, members: Mapping[str, Any], key: Ed25519PrivateKey) -> str:  # noqa: A002
    """Return the compact JWS (RFC 7515, RFC 8037) of a code: PyJWT's own, without its detours."""
    said = f"{_header(type, kid)}.{to_text(payload(type, members))}"
    return f"{said}.{to_text(key.sign(said.encode()))}"


@lru_cache(maxsize=64)
def _header(type: str, kid: str) -> str:  # noqa: A002
    members = {"alg": "EdDSA", "kid": kid, "typ": f"{type}+jwt"}
    return to_text(json.dumps(members, separators=(",", ":")).encode())


def read(type: str, kid: str, raw: bytes) -> Claims:  # noqa: A002
    """Read a signed payload, types and bounds checked. Raises ``NotClaims``."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise NotClaims from error
    if not isinstance(found, dict) or found.keys() != set(TYPES[type]):
        raise NotClaims
    issued_at, expires_at = _instant(found["iat"]), _instant(found["exp"])
    if expires_at - issued_at > LONGEST_LIFE:
        raise NotClaims
    return Claims(
        type=type,
        jti=UUID(bytes=_bytes(found["jti"], JTI_BYTES)),
        kid=kid,
        issued_at=issued_at,
        not_before=_instant(found["nbf"]) if "nbf" in found else issued_at,
        expires_at=expires_at,
        colour=_colour(found["c"]) if "c" in found else None,
        show_key=_bytes(found["k"], KEY_BYTES) if "k" in found else None,
        name=_name(found["n"]) if "n" in found else None,
    )


def _instant(value: Any) -> datetime:
    # A boolean is an int in Python, and none in JSON.
    if type(value) is not int or not 0 <= value < 2**33:
        raise NotClaims
    return datetime.fromtimestamp(value, UTC)


def _bytes(value: Any, size: int) -> bytes:
    try:
        raw = from_text(value) if isinstance(value, str) else b""
    except ValueError as error:
        raise NotClaims from error
    if len(raw) != size:
        raise NotClaims
    return raw


def _colour(value: Any) -> str:
    if not isinstance(value, str) or value not in COLOURS:
        raise NotClaims
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_NAME:
        raise NotClaims
    return value
