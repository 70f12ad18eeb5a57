"""A client's own tokens: what they are good for, and giving them back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts import refresh_tokens
from citizen_cloud.errors import Unauthenticated
from citizen_cloud.oidc.services import issuing
from citizen_cloud.oidc.services.decisions import hashed
from citizen_cloud.oidc.services.issuing import PARTNER, SERVICE
from citizen_cloud.oidc.services.systems import authenticate_system
from citizen_cloud.oidc.services.userinfo import holder


@dataclass(frozen=True, kw_only=True)
class Known:
    """A token that counts now."""

    kind: str
    client_id: UUID
    scopes: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    subject: str | None = None
    issuance_id: UUID | None = None
    token_hash: bytes | None = None
    # False for a refresh token that was passed on: it can be given back, and does nothing else.
    is_present: bool = True


_OWN = text(
    """
    SELECT client_id, scopes, created_at, expires_at FROM oidc.token
     WHERE token_hash = :hash AND client_id = :client_id
    """
)
_DELETE = text("DELETE FROM oidc.token WHERE token_hash = :hash")
_FAMILY = text("SELECT created_at, expires_at FROM oidc.issuance WHERE id = :id")
_AGREED = text(
    """
    SELECT CASE WHEN k.withdrawn_at IS NULL THEN k.scopes ELSE '{}' END
      FROM oidc.issuance i JOIN oidc.consent k ON k.id = i.consent_id
     WHERE i.id = :id AND i.client_id = :client_id
    """
)


def known(session: Session, *, token: str, client_id: UUID) -> Known | None:
    """Return what a token of this client is good for; None for any other, and for a dead one."""
    if token.startswith(PARTNER):
        return _of_partner(session, token, client_id)
    if token.startswith(SERVICE):
        return _of_system(session, token, client_id)
    return _refresh(session, token, client_id)


def _of_partner(session: Session, token: str, client_id: UUID) -> Known | None:
    found = holder(session, token=token)
    if found is None or found.client_id != client_id:
        return None
    return Known(
        kind="access_token",
        client_id=client_id,
        scopes=found.scopes,
        issued_at=found.issued_at,
        expires_at=found.expires_at,
        subject=found.subject,
        token_hash=hashed(token),
    )


def _of_system(session: Session, token: str, client_id: UUID) -> Known | None:
    row = session.execute(_OWN, {"hash": hashed(token), "client_id": client_id}).first()
    try:
        caller = authenticate_system(session.connection(), token)
    except Unauthenticated:
        return None
    if row is None:
        return None
    return Known(
        kind="access_token",
        client_id=client_id,
        scopes=caller.scopes,
        issued_at=row.created_at,
        expires_at=row.expires_at,
        subject=str(client_id),
        token_hash=hashed(token),
    )


def _refresh(session: Session, token: str, client_id: UUID) -> Known | None:
    """Return a true member of a family, the present one or one before it."""
    sent = refresh_tokens.parse(token)
    if sent is None:
        return None
    found = issuing.by_id(session, sent.sign_in_id)
    if found is None or found.client_id != client_id or not found.is_live:
        return None
    is_present = issuing.is_present(found, sent)
    if not is_present and issuing.forerun(found, sent) is None:
        return None
    row = session.execute(_FAMILY, {"id": found.id}).one()
    return Known(
        kind="refresh_token",
        client_id=client_id,
        scopes=found.scopes,
        issued_at=row.created_at,
        expires_at=row.expires_at,
        issuance_id=found.id,
        is_present=is_present,
    )


def revoke(session: Session, token: Known) -> None:
    """End a token; a refresh token takes its family with it."""
    if token.issuance_id is None:
        session.execute(_DELETE, {"hash": token.token_hash})
        return
    found = issuing.by_id(session, token.issuance_id)
    if found is not None:
        issuing.revoke(session, found, reason="revoked")


def log_out(session: Session, *, sign_in: str, client_id: UUID) -> None:
    """End what one sign-in at a client gave; ``sign_in`` is the ``sid`` of its ID token."""
    found = _family(session, sign_in)
    if found is not None and found.client_id == client_id:
        issuing.revoke(session, found, reason="logged_out")


def agreed(session: Session, *, sign_in: str, client_id: UUID) -> frozenset[str] | None:
    """Return what the citizen of a sign-in agrees to share now; None where there is none."""
    found = _family(session, sign_in)
    if found is None:
        return None
    scopes = session.scalar(_AGREED, {"id": found.id, "client_id": client_id})
    return None if scopes is None else frozenset(scopes)


def _family(session: Session, sign_in: str) -> issuing.Issuance | None:
    try:
        return issuing.by_id(session, UUID(sign_in))
    except ValueError:
        return None
