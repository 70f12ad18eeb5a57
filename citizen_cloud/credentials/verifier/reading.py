"""Form, issuer, signature, type: what can be said of a text with public keys alone."""

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from citizen_cloud.credentials.claims import PROVEN, TYPES, Claims, NotClaims
from citizen_cloud.credentials.claims import read as read_claims
from citizen_cloud.credentials.compact import NotACode, Proof, scan
from citizen_cloud.credentials.verifier.outcomes import Outcome

ALGORITHM = "EdDSA"
# A verifier's clock may be this far behind the issuer's; after its end a code is over at once.
SKEW = timedelta(seconds=5)
HEADER = {"alg", "kid", "typ"}
TYP = "+jwt"
LONGEST_HEADER = 1024

Keys = Mapping[str, Ed25519PublicKey]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The outcome, and the claims where the signature is right and the type is.

    ``proof`` is what was beside the credential; it is not checked here (``showing``).
    """

    outcome: Outcome
    claims: Claims | None = None
    jws: str = ""
    proof: Proof | None = None


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
    """Check form, signature and type, not the time. Never raises.

    A type that counts only with proof is never accepted here: ``OfflineVerifier`` does that.
    """
    reading = unfold(text, types=(type,), keys=keys)
    if reading.claims is not None and type in PROVEN:
        return Reading(outcome=Outcome.WRONG_DEVICE)
    return reading


def unfold(
    text: str, *, types: Collection[str], keys: Keys, revoked: Collection[str] = ()
) -> Reading:
    """Check form, issuer, signature and type; neither time nor proof. Never raises."""
    try:
        return _unfolded(text, types, keys, revoked)
    except _Unreadable as error:
        return Reading(outcome=error.outcome)


def _unfolded(text: str, types: Collection[str], keys: Keys, revoked: Collection[str]) -> Reading:
    try:
        scanned = scan(text)
    except NotACode as error:
        raise _Unreadable(Outcome.MALFORMED) from error
    header = _header(scanned.jws.partition(".")[0])
    if header is None:
        raise _Unreadable(Outcome.MALFORMED)
    kid, type_ = header["kid"], header["typ"].removesuffix(TYP)
    payload = _proven(scanned.jws, kid, keys, revoked)
    if type_ + TYP != header["typ"] or type_ not in types or type_ not in TYPES:
        raise _Unreadable(Outcome.WRONG_TYPE)
    if scanned.proof is not None and type_ not in PROVEN:
        raise _Unreadable(Outcome.MALFORMED)
    try:
        claims = read_claims(type_, kid, payload)
    except NotClaims as error:
        raise _Unreadable(Outcome.MALFORMED) from error
    return Reading(outcome=Outcome.VALID, claims=claims, jws=scanned.jws, proof=scanned.proof)


def _proven(jws: str, kid: str, keys: Keys, revoked: Collection[str]) -> bytes:
    """Return the payload that a key we trust has signed."""
    if kid in revoked:
        raise _Unreadable(Outcome.REVOKED)
    key = keys.get(kid)
    if key is None:
        raise _Unreadable(Outcome.UNKNOWN_ISSUER)
    # Its header says EdDSA and nothing else (``header_of``): RFC 8037, 3.1.
    signed, _, signature = jws.rpartition(".")
    try:
        key.verify(_raw(signature), signed.encode())
    except InvalidSignature as error:
        raise _Unreadable(Outcome.INVALID_SIGNATURE) from error
    return _raw(signed.partition(".")[2])


def header_of(jws: str) -> dict[str, str] | None:
    """Return a header of exactly our three members, None for any other."""
    part = jws.partition(".")[0]
    # What is found is remembered, and a file may be long.
    found = _header(part) if len(part) <= LONGEST_HEADER else None
    return None if found is None else dict(found)


# Every code of a day has the same one.
@lru_cache(maxsize=64)
def _header(part: str) -> dict[str, str] | None:
    try:
        found = json.loads(_raw(part))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.keys() != HEADER or found["alg"] != ALGORITHM:
        return None
    return found if all(isinstance(value, str) for value in found.values()) else None


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def keys_of(document: Mapping[str, Any]) -> dict[str, Ed25519PublicKey]:
    """Return the keys of ``/.well-known/credential-keys.json`` (RFC 7517, RFC 8037)."""
    return {
        entry["kid"]: Ed25519PublicKey.from_public_bytes(_raw(entry["x"]))
        for entry in document["keys"]
        if (entry["kty"], entry["crv"]) == ("OKP", "Ed25519")
    }
