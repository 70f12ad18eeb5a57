"""The id under which one partner knows a citizen, and no other partner does."""

import base64
import hmac
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from citizen_cloud import crypto


@lru_cache(maxsize=4)
def _key(quota_key: bytes) -> bytes:
    """Derive the key of subjects: like the quota key it never rotates, and it serves only this."""
    return HKDF(SHA256(), 32, salt=None, info=b"oidc pairwise subject").derive(quota_key)


def subject(*, organisation_id: UUID, sector: str, person_id: UUID | None, account_id: UUID) -> str:
    """Return the pairwise subject (OpenID Connect Core 8.1) of a person, else of an account.

    A sector is one within one organisation: two of them on a common host, or under one name by
    mistake, cannot compare citizens.
    """
    kind, behind = ("person", person_id) if person_id else ("account", account_id)
    message = f"{organisation_id}\n{sector}\n{kind}\n{behind}".encode()
    digest = hmac.digest(_key(crypto.current().quota.primary[1]), message, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
