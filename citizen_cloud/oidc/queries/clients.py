"""Clients: as the protocol needs them, and as the back office lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from citizen_cloud.oidc.models import Client


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A client that may act now: it is active, and so is its organisation."""

    id: UUID
    type: str
    sector: str
    organisation_id: UUID
    account_id: UUID | None
    scopes: frozenset[str]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    id_token_alg: str
    secret_hashes: tuple[bytes, ...]


_REGISTERED = text(
    """
    SELECT c.id, c.type, c.sector, c.organisation_id, c.account_id, c.scopes, c.redirect_uris,
           c.post_logout_redirect_uris, c.id_token_alg,
           ARRAY(SELECT s.secret_hash FROM oidc.client_secret s
                  WHERE s.client_id = c.id
                    AND (s.expires_at IS NULL
                         OR s.expires_at > coalesce(cast(:now AS timestamptz),
                                                    statement_timestamp()))) AS secret_hashes
      FROM oidc.client c
      JOIN organisations.organisation o ON o.id = c.organisation_id
      LEFT JOIN accounts.account a ON a.id = c.account_id
     WHERE c.id = :id AND c.status = 'active' AND o.status = 'active'
       AND (a.id IS NULL OR a.status = 'active')
    """
)


def registered(session: Session, client_id: UUID, *, now: object = None) -> Registered | None:
    """Return a client that may act now; None for an unknown or suspended one."""
    row = session.execute(_REGISTERED, {"id": client_id, "now": now}).mappings().first()
    if row is None:
        return None
    return Registered(
        id=row["id"],
        type=row["type"],
        sector=row["sector"],
        organisation_id=row["organisation_id"],
        account_id=row["account_id"],
        scopes=frozenset(row["scopes"]),
        redirect_uris=tuple(row["redirect_uris"]),
        post_logout_redirect_uris=tuple(row["post_logout_redirect_uris"]),
        id_token_alg=row["id_token_alg"],
        secret_hashes=tuple(bytes(each) for each in row["secret_hashes"]),
    )


def clients(session: Session, *, after: UUID | None, limit: int) -> Sequence[Client]:
    """Return one page and one row more, oldest first."""
    statement = select(Client).order_by(Client.id).limit(limit + 1)
    if after is not None:
        statement = statement.where(Client.id > after)
    return session.scalars(statement).all()


def client(session: Session, client_id: UUID) -> Client | None:
    """Return one client, or None."""
    return session.get(Client, client_id)
