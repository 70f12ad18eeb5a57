"""Sign and verify statements that are read for years: a certificate, not a code to show.

A compact JWS (RFC 7515) under the keys of codes; ``typ`` keeps the two apart. It has no end: who
reads it later needs the key set of that time, which is why certificates name their ``kid``.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

import jwt

from citizen_cloud.credentials import keys, verifier
from citizen_cloud.credentials.verifier import Keys
from citizen_cloud.errors import Unavailable

LONGEST = 65_536
RETRY_AFTER_S = 30


class StatementInvalid(Exception):
    """Not a statement of this type, signed by one of these keys; the message says why."""


def sign(
    claims: Mapping[str, Any],
    *,
    type: str,  # noqa: A002 - the field's word
    revoked: Collection[str],
) -> str:
    """Sign a statement with the newest key that nobody revoked.

    Raises ``Unavailable`` where there is none.
    """
    kid = next((name for name in keys.names() if name not in revoked), "")
    key = keys.private_key(kid)
    if key is None:
        raise Unavailable(retry_after=RETRY_AFTER_S)
    return jwt.PyJWS().encode(
        json.dumps(dict(claims), ensure_ascii=False, separators=(",", ":")).encode(),
        key,
        algorithm=verifier.ALGORITHM,
        headers={"typ": f"{type}+jwt", "kid": kid},
    )


def read(text: str, *, type: str, keys: Keys) -> dict[str, Any]:  # noqa: A002
    """Return the claims of a genuine statement. Raises ``StatementInvalid``."""
    if len(text) > LONGEST:
        raise StatementInvalid("too long")
    try:
        header = jwt.get_unverified_header(text)
    except jwt.PyJWTError as error:
        raise StatementInvalid("not a JWS") from error
    if header.get("typ") != f"{type}+jwt" or set(header) != verifier.HEADER:
        raise StatementInvalid("another type of statement")
    key = keys.get(str(header["kid"]))
    if key is None:
        raise StatementInvalid("signed by a key that is not in the set")
    try:
        claims = json.loads(jwt.PyJWS().decode(text, key, algorithms=[verifier.ALGORITHM]))
    except (jwt.PyJWTError, ValueError) as error:
        raise StatementInvalid("the signature is wrong") from error
    if not isinstance(claims, dict):
        raise StatementInvalid("no claims")
    return claims
