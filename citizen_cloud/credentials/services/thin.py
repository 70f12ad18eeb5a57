"""Thin codes: for a minute, signed and written down nowhere. Their id is whose they are, sealed.

Sixteen bytes under a key of ours: to everybody else random, no two of one person alike. Opened,
they say whose code it is and all that was signed, so they are the record: who has stolen a signing
key makes no such id, and changes nothing about one that he saw.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from citizen_cloud import crypto
from citizen_cloud.credentials import claims, keys
from citizen_cloud.credentials.claims import Claims
from citizen_cloud.credentials.compact import pack

THIN = "ht"
LIFE = timedelta(seconds=60)
BASIS_BYTES = 3
_KIND = "credentials.thin"
_COLOURS = ("green", "yellow", "red")
_NO_BASIS = bytes(BASIS_BYTES)
# Beside the colour: there is a basis, whatever its bytes are.
_FOR_ANOTHER = 0x80


@dataclass(frozen=True, kw_only=True)
class ThinCode:
    """A thin code as it is drawn."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Whose a thin code is, and by which right it was given: none in one's own business.

    ``handle`` is the person's number, below 2**40; ``basis`` three bytes by which the caller knows
    again what he went by.
    """

    handle: int
    basis: bytes


def thin_code(
    bearer: Bearer, *, colour: str, kid: str, at: datetime, until: datetime | None
) -> ThinCode:
    """Sign a person's colour for a minute, or until the colour turns.

    ``kid`` names a key that nobody revoked; ``at`` is the database's instant.
    """
    issued_at = at.replace(microsecond=0)
    expires_at = issued_at + LIFE
    if until is not None:
        expires_at = max(issued_at, min(expires_at, until.replace(microsecond=0)))
    begin, end = int(issued_at.timestamp()), int(expires_at.timestamp())
    name = _said(bearer, begin, end, colour) + secrets.token_bytes(2)
    jti = crypto.current().seal_block(name, kind=_KIND)
    key = keys.private_key(kid)
    if key is None:
        raise LookupError("the signing key was taken away meanwhile")
    members = {"jti": claims.jti_text(UUID(bytes=jti)), "iat": begin, "exp": end, "c": colour}
    return ThinCode(text=pack(claims.signed(THIN, kid, members, key)), expires_at=expires_at)


def bearer_of(said: Claims) -> Bearer | None:
    """Return whose a thin code is; None where we signed no such code, whoever did."""
    begin, end = int(said.issued_at.timestamp()), int(said.expires_at.timestamp())
    for name in crypto.current().open_block(said.jti.bytes, kind=_KIND):
        basis = name[11:14] if name[10] & _FOR_ANOTHER else b""
        bearer = Bearer(handle=int.from_bytes(name[:5], "big"), basis=basis)
        # A wrong key opens it as well, to something else than what was signed.
        if name[:14] == _said(bearer, begin, end, said.colour):
            return bearer
    return None


def _said(bearer: Bearer, begin: int, end: int, colour: str | None) -> bytes:
    """Return what a row would say, in fourteen bytes; none for what is never signed here."""
    try:
        since = begin.to_bytes(4, "big")
        shown = _COLOURS.index(colour or "") | (_FOR_ANOTHER if bearer.basis else 0)
        rest = bytes([end - begin, shown])
    except (OverflowError, ValueError):
        return b""
    return bearer.handle.to_bytes(5, "big") + since + rest + (bearer.basis or _NO_BASIS)
