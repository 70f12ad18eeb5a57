"""Issue, revoke and verify codes. The issuance record is written before anything is signed."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt
import structlog
from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.credentials import keys, verifier
from citizen_cloud.credentials.compact import pack
from citizen_cloud.credentials.refusals import BY_OUTCOME, CredentialNotIssued, CredentialRevoked
from citizen_cloud.credentials.services.issuing import RETRY_AFTER_S, USABLE_KEY, new_jti
from citizen_cloud.credentials.verifier import Claims, Outcome
from citizen_cloud.db import rows_changed
from citizen_cloud.errors import Unavailable
from citizen_cloud.registry.ended import is_ended, is_over

# Two writers can meet once; a third round would mean that the row changes under every look.
ROUNDS = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Code:
    """A live code. ``text`` is what the QR code holds; it is not stored, it is signed anew."""

    jti: UUID
    text: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A code that was issued here, is not revoked, and is inside its time."""

    jti: UUID
    subject_id: UUID
    type: str
    issued_at: datetime
    not_before: datetime
    expires_at: datetime


_LIVE = text(
    f"""
    SELECT jti, kid, issued_at, not_before, expires_at,
           EXISTS (SELECT 1 FROM credentials.key_revocation r WHERE r.kid = c.kid)
           OR {is_ended("c.type", "c.issued_at")} AS is_dead
      FROM credentials.credential c
     WHERE type = :type AND subject_id = :subject_id AND revoked_at IS NULL
    """  # noqa: S608 - no part of it comes from outside
)
# Whole seconds, as the claims have them: what is stored is exactly what is signed.
_ISSUE = text(
    f"""
    INSERT INTO credentials.credential
           (jti, type, subject_id, holder_id, kid, issued_at, not_before, expires_at)
    SELECT :jti, :type, :subject_id, :holder_id, k.kid,
           date_trunc('second', coalesce(cast(:now AS timestamptz), statement_timestamp())),
           :not_before, :expires_at
      FROM (SELECT {USABLE_KEY} AS kid) k
     WHERE k.kid IS NOT NULL AND NOT {is_over("cast(:type AS varchar)")}
    ON CONFLICT (type, subject_id) WHERE revoked_at IS NULL DO NOTHING
    RETURNING jti, kid, issued_at, not_before, expires_at
    """  # noqa: S608 - no part of it comes from outside
)
_REVOKE = text(
    """
    UPDATE credentials.credential
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE type = :type AND subject_id = :subject_id AND revoked_at IS NULL
       AND (cast(:jti AS uuid) IS NULL OR jti = :jti)
    """
)
# One row always: the time it is, and beside it the record, if there is one.
_ISSUED = text(
    f"""
    SELECT c.jti, c.subject_id, c.issued_at, c.not_before, c.expires_at, c.kid, c.revoked_at, t.now,
           EXISTS (SELECT 1 FROM credentials.key_revocation r WHERE r.kid = :kid) AS is_key_revoked,
           {is_ended(":type", "cast(:issued_at AS timestamptz)")} AS is_ended
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS now) t
      LEFT JOIN credentials.credential c ON c.jti = :jti AND c.type = :type
    """  # noqa: S608
)


def issue(
    session: Session | Connection,
    *,
    type: str,  # noqa: A002 - the field's word
    subject_id: UUID,
    not_before: datetime,
    expires_at: datetime,
    holder_id: UUID | None = None,
    now: datetime | None = None,
) -> Code:
    """Return the live code of a subject, issuing it where there is none, for whose it is.

    A subject has one live code: asking again, also at the same instant, gives the same text
    (Ed25519 signs deterministically, RFC 8032). Other times, or a key that was taken away or
    revoked, and a service that ended meanwhile, end the old code and issue a new one. One
    statement where the code exists. Raises ``Unavailable`` where every key that signs is revoked,
    and while the service of the type is in sunset.
    """
    subject = {"type": type, "subject_id": subject_id}
    times = {
        "not_before": not_before.replace(microsecond=0),
        "expires_at": expires_at.replace(microsecond=0),
    }
    for _ in range(ROUNDS):
        live = session.execute(_LIVE, subject).mappings().first()
        if live is not None:
            if _is_current(live, times):
                return _code(live, type)
            session.execute(_REVOKE, {**subject, "jti": live["jti"], "now": now})
        fresh = {"jti": new_jti(), "kids": keys.names(), "holder_id": holder_id}
        made = session.execute(_ISSUE, {**subject, **times, **fresh, "now": now}).mappings().first()
        if made is not None:
            return _code(made, type)
    live = session.execute(_LIVE, subject).mappings().first()
    if live is None or live["is_dead"]:
        raise Unavailable(retry_after=RETRY_AFTER_S)
    return _code(live, type)


def _is_current(live: RowMapping, times: dict[str, datetime]) -> bool:
    is_same = all(live[name] == value for name, value in times.items())
    is_usable = not live["is_dead"] and keys.private_key(live["kid"]) is not None
    return is_same and is_usable


def _code(row: RowMapping, type: str) -> Code:  # noqa: A002
    return Code(
        jti=row["jti"],
        text=pack(_signed(row, type)),
        issued_at=row["issued_at"],
        not_before=row["not_before"],
        expires_at=row["expires_at"],
    )


def _signed(row: RowMapping, type: str) -> str:  # noqa: A002
    """Sign the row: the same row gives the same JWS for ever."""
    claims: dict[str, Any] = {
        "jti": base64.urlsafe_b64encode(row["jti"].bytes).rstrip(b"=").decode(),
        "iat": int(row["issued_at"].timestamp()),
        "nbf": int(row["not_before"].timestamp()),
        "exp": int(row["expires_at"].timestamp()),
    }
    key = keys.private_key(row["kid"])
    if key is None:
        raise LookupError("the signing key was taken away meanwhile")
    return jwt.PyJWS().encode(
        json.dumps(claims, separators=(",", ":")).encode(),
        key,
        algorithm=verifier.ALGORITHM,
        headers={"typ": f"{type}+jwt", "kid": row["kid"]},
    )


def revoke(
    session: Session | Connection,
    *,
    type: str,  # noqa: A002
    subject_id: UUID,
    now: datetime | None = None,
) -> bool:
    """End the live code of a subject; return whether there was one.

    A code asked for at the same instant may be issued behind this; what it stands for decides
    at the counter, so services check the booking's own state as well.
    """
    facts = {"type": type, "subject_id": subject_id, "jti": None, "now": now}
    return rows_changed(session, _REVOKE, facts) > 0


def verify(
    session: Session | Connection,
    *,
    code: str,
    type: str,  # noqa: A002
    now: datetime | None = None,
) -> Verified:
    """Accept a code, or refuse it for one reason (``refusals``), never by another exception.

    The signature is checked first: what is not ours costs the database nothing. The database's
    clock decides.
    """
    reading = verifier.read(code, type=type, keys=keys.public_keys())
    if reading.claims is None:
        raise BY_OUTCOME[reading.outcome]
    claims = reading.claims
    said = {"jti": claims.jti, "kid": claims.kid, "issued_at": claims.issued_at}
    row = session.execute(_ISSUED, {**said, "type": type, "now": now}).mappings().one()
    _check(row, claims)
    return Verified(
        jti=claims.jti,
        subject_id=row["subject_id"],
        type=type,
        issued_at=claims.issued_at,
        not_before=claims.not_before,
        expires_at=claims.expires_at,
    )


def _check(row: RowMapping, claims: Claims) -> None:
    """Raise what is wrong with a code whose signature is right."""
    if row["revoked_at"] is not None:
        raise CredentialRevoked
    outcome = verifier.at(claims, row["now"])
    if row["is_key_revoked"]:
        if outcome is Outcome.VALID:
            _report_unissued(row, claims)
        raise CredentialRevoked
    # Decided by the type alone: a purge leaves no record.
    if row["is_ended"] and outcome is Outcome.VALID:
        raise CredentialRevoked
    # Before the record: records of codes that ended long ago are forgotten.
    if outcome is not Outcome.VALID:
        raise BY_OUTCOME[outcome]
    if _report_unissued(row, claims):
        raise CredentialNotIssued


def _report_unissued(row: RowMapping, claims: Claims) -> bool:
    """Alarm and return True where nothing was issued that says what was signed."""
    if _is_as_issued(row, claims):
        return False
    log.error("signed_but_not_issued", kid=claims.kid, jti=str(claims.jti))
    return True


def _is_as_issued(row: RowMapping, claims: Claims) -> bool:
    """Return whether the record holds what was signed: a stolen key must not prolong a code."""
    return (row["kid"], row["issued_at"], row["not_before"], row["expires_at"]) == (
        claims.kid,
        claims.issued_at,
        claims.not_before,
        claims.expires_at,
    )
