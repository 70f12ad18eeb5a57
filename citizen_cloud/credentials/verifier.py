"""Read a code with nothing but public keys and a clock: no network, no database, no framework.

What a verifier at a counter or a gate runs while the whole backend is down. Online, ``services``
adds what only the issuance record knows: ``revoked`` and ``signed_but_not_issued``.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from citizen_cloud.credentials.compact import NotACode, unpack

ALGORITHM = "EdDSA"
# A verifier's clock may be this far behind the issuer's; after its end a code is over at once.
SKEW = timedelta(seconds=5)
LONGEST_LIFE = timedelta(days=400)
JTI_CHARACTERS = 22
HEADER = {"alg", "kid", "typ"}
CLAIMS = {"jti", "iat", "nbf", "exp"}

Keys = Mapping[str, Ed25519PublicKey]


class Outcome(StrEnum):
    """What a verifier says."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_TYPE = "wrong_type"
    INVALID_SIGNATURE = "invalid_signature"
    UNKNOWN_ISSUER = "unknown_issuer"
    MALFORMED = "malformed"


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a code says, once its signature is proven."""

    jti: UUID
    kid: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The outcome, and the claims where the signature is right and the type is."""

    outcome: Outcome
    claims: Claims | None = None


class _Unreadable(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def verify(text: str, *, type: str, keys: Keys, now: datetime) -> Reading:  # noqa: A002
    """Say what a code is worth at an instant. Never raises, whatever the text."""
    reading = read(text, type=type, keys=keys)
    if reading.claims is None:
        return reading
    return Reading(outcome=at(reading.claims, now), claims=reading.claims)


def at(claims: Claims, now: datetime) -> Outcome:
    """Say whether a proven code is inside its time; its end is outside."""
    if claims.expires_at <= now:
        return Outcome.EXPIRED
    if max(claims.issued_at, claims.not_before) > now + SKEW:
        return Outcome.NOT_YET_VALID
    return Outcome.VALID


def read(text: str, *, type: str, keys: Keys) -> Reading:  # noqa: A002
    """Check form, signature and type, not the time. Never raises."""
    try:
        return Reading(outcome=Outcome.VALID, claims=_claims(text, f"{type}+jwt", keys))
    except _Unreadable as error:
        return Reading(outcome=error.outcome)


def _claims(text: str, typ: str, keys: Keys) -> Claims:
    try:
        jws = unpack(text)
    except NotACode as error:
        raise _Unreadable(Outcome.MALFORMED) from error
    header = _object(_raw(jws.split(".")[0]), HEADER)
    if header["alg"] != ALGORITHM or not isinstance(header["kid"], str):
        raise _Unreadable(Outcome.MALFORMED)
    key = keys.get(header["kid"])
    if key is None:
        raise _Unreadable(Outcome.UNKNOWN_ISSUER)
    try:
        payload = jwt.PyJWS().decode(jws, key, algorithms=[ALGORITHM])
    except jwt.PyJWTError as error:
        raise _Unreadable(Outcome.INVALID_SIGNATURE) from error
    if header["typ"] != typ:
        raise _Unreadable(Outcome.WRONG_TYPE)
    return _of(_object(payload, CLAIMS), header["kid"])


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _object(raw: bytes, members: set[str]) -> dict[str, Any]:
    """Return a JSON object with exactly these members."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _Unreadable(Outcome.MALFORMED) from error
    if not isinstance(found, dict) or found.keys() != members:
        raise _Unreadable(Outcome.MALFORMED)
    return found


def _of(claims: dict[str, Any], kid: str) -> Claims:
    """Return the claims with their types checked; a signed code of another form is none."""
    times = [claims[name] for name in ("iat", "nbf", "exp")]
    if any(type(value) is not int or not 0 <= value < 2**33 for value in times):
        raise _Unreadable(Outcome.MALFORMED)
    if not isinstance(claims["jti"], str) or len(claims["jti"]) != JTI_CHARACTERS:
        raise _Unreadable(Outcome.MALFORMED)
    issued_at, not_before, expires_at = (datetime.fromtimestamp(value, UTC) for value in times)
    if expires_at - issued_at > LONGEST_LIFE:
        raise _Unreadable(Outcome.MALFORMED)
    try:
        jti = UUID(bytes=_raw(claims["jti"]))
    except ValueError as error:
        raise _Unreadable(Outcome.MALFORMED) from error
    return Claims(
        jti=jti, kid=kid, issued_at=issued_at, not_before=not_before, expires_at=expires_at
    )


def keys_of(document: Mapping[str, Any]) -> dict[str, Ed25519PublicKey]:
    """Return the keys of ``/.well-known/credential-keys.json`` (RFC 7517, RFC 8037)."""
    return {
        entry["kid"]: Ed25519PublicKey.from_public_bytes(_raw(entry["x"]))
        for entry in document["keys"]
        if (entry["kty"], entry["crv"]) == ("OKP", "Ed25519")
    }
