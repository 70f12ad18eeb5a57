"""To whom a citizen has said yes, and what was asked last."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

_PARTNERS = text(
    """
    SELECT k.id AS consent_id, k.client_id, c.name, c.purpose, o.id AS organisation_id,
           o.name AS organisation, k.scopes, k.granted_at, k.changed_at,
           (SELECT max(i.created_at) FROM oidc.issuance i WHERE i.consent_id = k.id)
             AS last_signed_in_at
      FROM oidc.consent k
      JOIN oidc.client c ON c.id = k.client_id
      JOIN organisations.organisation o ON o.id = c.organisation_id
     WHERE k.account_id = :account_id AND k.withdrawn_at IS NULL
       AND (cast(:before AS uuid) IS NULL OR k.id < :before)
     ORDER BY k.id DESC LIMIT :most
    """
)
_AGREED = text(
    """
    SELECT scopes FROM oidc.consent
     WHERE account_id = :account_id AND client_id = :client_id AND withdrawn_at IS NULL
    """
)


def partners(
    session: Session, *, account_id: UUID, before: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Return one page and one row more of the clients that have a citizen's yes, latest first."""
    asked = {"account_id": account_id, "before": before, "most": limit + 1}
    return [dict(row) for row in session.execute(_PARTNERS, asked).mappings()]


def agreed_scopes(session: Session, *, account_id: UUID, client_id: UUID) -> frozenset[str]:
    """Return what a citizen agreed to share with a client."""
    asked = {"account_id": account_id, "client_id": client_id}
    return frozenset(session.scalar(_AGREED, asked) or ())
