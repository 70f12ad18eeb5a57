"""Ways begun: to a provider and back, and from an identity to the account it belongs to.

The token is a random value that only its holder knows; using it deletes the row, so of two who
come with one token the second finds nothing.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.db import new_id
from citizen_cloud.federation.rules import START_LIFE, TICKET_LIFE, Started

TOKEN_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Given:
    """A token as its holder gets it, once."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Owed:
    """What a ticket stands for."""

    provider: str
    subject: str


_KEEP = text(
    """
    INSERT INTO federation.attempt
           (id, kind, provider, token_hash, secret_sealed, account_id, person_key, created_at,
            expires_at)
    SELECT :id, :kind, :provider, :hash, :secret, :account_id, :person_key, t, t + :life
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    RETURNING expires_at
    """
)
_TAKE_START = text(
    """
    DELETE FROM federation.attempt
     WHERE token_hash = :hash AND kind = 'start' AND provider = :provider
       AND expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
    RETURNING id, secret_sealed
    """
)
# Whom a ticket is not for leaves it as it is.
_TAKE_TICKET = text(
    """
    DELETE FROM federation.attempt
     WHERE token_hash = :hash AND kind = 'ticket'
       AND expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
       AND (account_id IS NULL OR account_id = :account_id)
       AND (person_key IS NULL OR person_key = :person_key)
    RETURNING id, provider, secret_sealed
    """
)


def token_hash(token: str) -> bytes:
    """Hash a token; it has 256 random bits, so a plain hash reveals nothing."""
    return hashlib.sha256(token.encode()).digest()


def secret_place(attempt_id: UUID) -> str:
    """Return what binds a sealed secret to its attempt."""
    return f"federation.attempt:secret:{attempt_id}"


def draw() -> tuple[str, Started]:
    """Return a new state, and the nonce and PKCE verifier that go with it."""
    nonce, verifier = (secrets.token_urlsafe(TOKEN_BYTES) for _ in range(2))
    return secrets.token_urlsafe(TOKEN_BYTES), Started(nonce=nonce, verifier=verifier)


def begin(
    session: Session, *, provider: str, state: str, started: Started, now: datetime | None = None
) -> Given:
    """Keep what was drawn until the citizen comes back with the state."""
    secret = json.dumps([started.nonce, started.verifier])
    facts = {"kind": "start", "provider": provider, "account_id": None, "person_key": None}
    return _keep(session, token=state, secret=secret, facts=facts, life=START_LIFE, now=now)


def take_start(
    session: Session | Connection, *, provider: str, state: str, now: datetime | None = None
) -> Started | None:
    """Return what was kept for a state, once."""
    asked = {"hash": token_hash(state), "provider": provider, "now": now}
    row = session.execute(_TAKE_START, asked).mappings().first()
    if row is None:
        return None
    secret = crypto.current().open(row["secret_sealed"], place=secret_place(row["id"]))
    nonce, verifier = json.loads(secret)
    return Started(nonce=nonce, verifier=verifier)


def give_ticket(
    session: Session,
    *,
    owed: Owed,
    account_id: UUID | None,
    person_key: bytes | None,
    now: datetime | None = None,
) -> Given:
    """Return a ticket that links an identity; bound to account or person where they are known."""
    facts = {
        "kind": "ticket",
        "provider": owed.provider,
        "account_id": account_id,
        "person_key": person_key,
    }
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return _keep(session, token=token, secret=owed.subject, facts=facts, life=TICKET_LIFE, now=now)


def take_ticket(
    session: Session,
    *,
    ticket: str,
    account_id: UUID,
    person_key: bytes,
    now: datetime | None = None,
) -> Owed | None:
    """Return what a ticket stands for, once, and only to whom it is for."""
    asked = {"account_id": account_id, "person_key": person_key, "now": now}
    row = session.execute(_TAKE_TICKET, {**asked, "hash": token_hash(ticket)}).mappings().first()
    if row is None:
        return None
    subject = crypto.current().open(row["secret_sealed"], place=secret_place(row["id"]))
    return Owed(provider=row["provider"], subject=subject)


def _keep(
    session: Session,
    *,
    token: str,
    secret: str,
    facts: Mapping[str, object],
    life: timedelta,
    now: datetime | None,
) -> Given:
    attempt_id = new_id()
    kept = {
        **facts,
        "id": attempt_id,
        "hash": token_hash(token),
        "secret": crypto.current().seal(secret, place=secret_place(attempt_id)),
        "life": life,
        "now": now,
    }
    expires_at: datetime = session.execute(_KEEP, kept).scalar_one()
    return Given(token=token, expires_at=expires_at)
