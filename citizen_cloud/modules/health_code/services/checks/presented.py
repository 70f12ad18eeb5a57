"""A code as an inspector sent it: read before a connection is taken, hashed as it is kept."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from citizen_cloud import crypto
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.services.thin import THIN, Bearer, bearer_of
from citizen_cloud.credentials.verifier.gates import HEALTH_CODES
from citizen_cloud.credentials.verifier.outcomes import Outcome
from citizen_cloud.credentials.verifier.reading import Reading, unfold
from citizen_cloud.modules.health_code.rules import share_tokens
from citizen_cloud.modules.health_code.rules.verifying import SHARED, SOURCES


@dataclass(frozen=True, kw_only=True)
class Presented:
    """One scan. What is not ours costs the database no look at any record."""

    scan_id: str
    code: str
    place_id: UUID | None
    nonce: bytes | None
    reading: Reading
    # Whose a thin code is: it has no record, so none is one that we did not sign.
    bearer: Bearer | None = None
    # What a gate said offline, and when.
    device_at: datetime | None = None
    device_outcome: str | None = None

    @property
    def is_share(self) -> bool:
        """Return whether it is the word of a share, and no code."""
        return share_tokens.is_token(self.code)

    @property
    def source(self) -> str | None:
        """Return what kind of code it is, None for one that was not readable."""
        if self.is_share:
            return SHARED
        return SOURCES[self.reading.claims.type] if self.reading.claims else None

    @property
    def type(self) -> str | None:
        """Return the code's own type, None for one that was not readable."""
        return self.reading.claims.type if self.reading.claims else None

    @property
    def is_let_in(self) -> bool:
        """Return whether a good code opened the door: not where a gate that was alone refused."""
        return self.device_outcome in {None, Outcome.VALID}

    @cached_property
    def code_hash(self) -> bytes:
        """Return what tells that the same code came again; nobody finds the code by it."""
        return crypto.current().counter("health_code.scan", self.code)

    @cached_property
    def showing_hash(self) -> bytes | None:
        """Return what tells that the same showing came again."""
        claims, proof = self.reading.claims, self.reading.proof
        if claims is None:
            return None
        step = proof.step if proof is not None else "-"
        return crypto.current().counter("health_code.showing", f"{claims.jti}:{step}")

    def facts(self, account_id: UUID, now: datetime | None) -> dict[str, Any]:
        """Return what the statement that knows everything asks for."""
        claims, bearer = self.reading.claims, self.bearer
        return {
            "account_id": account_id,
            "scan_id": self.scan_id,
            "place_id": self.place_id,
            "jti": claims.jti if claims else None,
            "type": self.type,
            "kid": claims.kid if claims else None,
            "signed_at": claims.issued_at if claims else None,
            "device_at": self.device_at,
            "showing_hash": self.showing_hash,
            "handle": bearer.handle if bearer else None,
            "basis": bearer.basis if bearer else None,
            "token_hash": share_tokens.token_hash(self.code) if self.is_share else None,
            "now": now,
        }


def present(
    *,
    scan_id: str,
    code: str,
    place_id: UUID | None = None,
    nonce: bytes | None = None,
    device_at: datetime | None = None,
    device_outcome: str | None = None,
) -> Presented:
    """Read a code with the keys held here alone; never raises, whatever the text."""
    reading = unfold(code, types=HEALTH_CODES, keys=keys.public_keys())
    claims = reading.claims
    return Presented(
        scan_id=scan_id,
        code=code,
        place_id=place_id,
        nonce=nonce,
        reading=reading,
        bearer=bearer_of(claims) if claims and claims.type == THIN else None,
        device_at=device_at,
        device_outcome=device_outcome,
    )
