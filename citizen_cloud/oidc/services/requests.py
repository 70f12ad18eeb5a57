"""What a client asks for, shown to the one citizen who opened it, and answered once."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.db import rows_changed
from citizen_cloud.errors import NotFound
from citizen_cloud.oidc.queries.clients import Registered
from citizen_cloud.oidc.refusals import RequestOver
from citizen_cloud.oidc.rules.addresses import is_registered
from citizen_cloud.oidc.rules.lifetimes import REQUEST

ID_BYTES = 16


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An authorization request that was found to be in order."""

    redirect_uri: str
    scopes: tuple[str, ...]
    code_challenge: str = field(repr=False)
    state: str | None = field(default=None, repr=False)
    nonce: str | None = field(default=None, repr=False)
    login: bool = False
    max_age_s: int | None = None
    level: int = 1


_ADD = text(
    """
    INSERT INTO oidc.request
           (id, client_id, redirect_uri, state, nonce, scopes, code_challenge, login, max_age_s,
            level, created_at, expires_at)
    SELECT :id, :client_id, :redirect_uri, :state, :nonce, :scopes, :code_challenge, :login,
           :max_age_s, :level, t, t + :life
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    """
)


def keep_request(
    session: Session, *, client: Registered, asked: Asked, now: datetime | None = None
) -> UUID:
    """Keep a request until a citizen opens it in the app; return its id, 128 random bits."""
    request_id = UUID(bytes=secrets.token_bytes(ID_BYTES))
    facts = {**vars(asked), "scopes": list(asked.scopes)}
    kept = {"id": request_id, "client_id": client.id, "life": REQUEST, "now": now}
    session.execute(_ADD, {**facts, **kept})
    return request_id


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A request as the citizen sees it who opened it first."""

    id: UUID
    client_id: UUID
    name: dict[str, str]
    purpose: dict[str, str]
    organisation_id: UUID
    organisation: dict[str, str]
    allowed: frozenset[str]
    scopes: tuple[str, ...]
    redirect_uri: str
    state: str | None
    nonce: str | None
    code_challenge: str
    login: bool
    max_age_s: int | None
    level: int
    expires_at: datetime
    age: timedelta


# The first account that opens it keeps it: a second citizen in front of the same screen, or
# somebody who was sent the address, finds nothing.
_OPEN = text(
    """
    UPDATE oidc.request r SET account_id = :account_id
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock,
           oidc.client c, organisations.organisation o
     WHERE r.id = :id AND c.id = r.client_id AND o.id = c.organisation_id
       AND (r.account_id IS NULL OR r.account_id = :account_id)
       AND (r.account_id IS NOT NULL OR r.expires_at > t)
       AND c.status = 'active' AND o.status = 'active'
    RETURNING r.id, r.client_id, c.name, c.purpose, c.organisation_id, o.name AS organisation,
              c.scopes AS allowed, c.type, c.redirect_uris, r.scopes, r.redirect_uri, r.state,
              r.nonce, r.code_challenge,
              r.login, r.max_age_s, r.level, r.expires_at, r.decided_at, t,
              t - r.created_at AS age
    """
)
_DECIDE = text(
    """
    UPDATE oidc.request
       SET decided_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE id = :id AND decided_at IS NULL
    """
)


def open_request(
    session: Session, *, request_id: UUID, account_id: UUID, now: datetime | None = None
) -> Opened:
    """Return a request and keep it for this account.

    Raises ``NotFound``, also for one that another account opened, and ``RequestOver``, also where
    the client may no longer be answered at the address it named.
    """
    asked = {"id": request_id, "account_id": account_id, "now": now}
    row = session.execute(_OPEN, asked).mappings().first()
    if row is None:
        raise NotFound
    if row["decided_at"] is not None or row["expires_at"] <= row["t"]:
        raise RequestOver
    if not is_registered(row["redirect_uri"], row["redirect_uris"], client_type=row["type"]):
        raise RequestOver
    facts: dict[str, Any] = {key: row[key] for key in Opened.__dataclass_fields__}
    return Opened(**{**facts, "allowed": frozenset(row["allowed"]), "scopes": tuple(row["scopes"])})


def close_request(session: Session, *, request_id: UUID, now: datetime | None = None) -> None:
    """Mark a request as answered; of two answers at once one is refused: ``RequestOver``.

    The row was locked when it was opened.
    """
    if not rows_changed(session, _DECIDE, {"id": request_id, "now": now}):
        raise RequestOver
