"""The proof of an erasure: what was erased, what stays under no name and why. Names nobody."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy.engine import RowMapping

from citizen_cloud.credentials import statements
from citizen_cloud.credentials.verifier import Keys
from citizen_cloud.privacy.owners import Owners

TYPE = "erasure-certificate"
ISSUER = "citizen-cloud"


def certificate(
    closure: RowMapping,
    owners: Owners,
    *,
    erased: Mapping[str, int],
    released: int,
    revoked: Collection[str],
) -> str:
    """Sign the certificate of a closure as a JWS (EdDSA) under the keys of codes."""
    return statements.sign(
        {
            "iss": ISSUER,
            "jti": str(closure["id"]),
            "iat": int(closure["now"].timestamp()),
            "requested_at": int(closure["requested_at"].timestamp()),
            "bookings_released": released,
            "erased": [
                {"owner": owner.name, "title": owner.title.as_json(), "rows": erased[owner.name]}
                for owner in owners.owners
            ],
            "kept": [
                {"owner": owner.name, "what": each.as_json()}
                for owner in owners.owners
                for each in owner.data.kept
            ],
        },
        type=TYPE,
        revoked=revoked,
    )


def read_certificate(text: str, *, keys: Keys) -> dict[str, Any]:
    """Return what a genuine certificate says. Raises ``statements.StatementInvalid``."""
    return statements.read(text.strip(), type=TYPE, keys=keys)
