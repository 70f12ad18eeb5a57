"""Exchange a code for tokens, and a refresh token for its successor; reuse ends the family."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts import refresh_tokens
from citizen_cloud.accounts.refresh_tokens import RefreshToken
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import rows_changed
from citizen_cloud.oidc.rules.lifetimes import ACCESS_TOKEN, REFRESH_REPEAT
from citizen_cloud.oidc.services.decisions import hashed
from citizen_cloud.oidc.services.standing import JOINS, STANDS

TOKEN_BYTES = 32
# What a token is good for shows in its first letters, to people and to secret scanners.
PARTNER = "ccp_"
SERVICE = "ccs_"


@dataclass(frozen=True, kw_only=True)
class Issuance:
    """A family of tokens, locked until the transaction ends, and whether it still counts."""

    id: UUID
    client_id: UUID
    account_id: UUID
    person_id: UUID | None
    scopes: frozenset[str]
    level: int
    amr: str
    auth_time: datetime
    nonce: str | None = field(repr=False)
    redirect_uri: str
    code_challenge: str = field(repr=False)
    code_used_at: datetime | None
    code_expires_at: datetime
    refresh_number: int | None
    refresh_hash: bytes | None = field(repr=False)
    rotated_at: datetime | None
    is_live: bool
    t: datetime


_COLUMNS = f"""
    SELECT i.id, i.client_id, i.account_id, i.person_id,
           ARRAY(SELECT s FROM unnest(i.scopes) AS s
                  WHERE s = ANY(k.scopes) AND s = ANY(c.scopes)) AS scopes,
           i.level, i.amr, i.auth_time, i.nonce, i.redirect_uri, i.code_challenge,
           i.code_used_at, i.code_expires_at, i.refresh_number, i.refresh_hash, i.rotated_at, t,
           {STANDS} AS is_live
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock,
           oidc.issuance i
      {JOINS}
"""  # noqa: S608 - of constants
_BY_CODE = text(
    _COLUMNS + " WHERE i.code_hash = :hash AND i.client_id = :client_id FOR UPDATE OF i"
)
_BY_ID = text(_COLUMNS + " WHERE i.id = :id FOR UPDATE OF i")
_USE = text("UPDATE oidc.issuance SET code_used_at = :t WHERE id = :id")
_ROTATE = text(
    """
    UPDATE oidc.issuance SET refresh_number = :number, refresh_hash = :hash, rotated_at = :t
     WHERE id = :id
    """
)
_GIVE = text(
    """
    INSERT INTO oidc.token (token_hash, client_id, issuance_id, scopes, created_at, expires_at)
    SELECT :hash, :client_id, :issuance_id, :scopes, t, t + :life
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    """
)
_REVOKE = text(
    """
    UPDATE oidc.issuance
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp()),
           revoked_because = :reason
     WHERE id = :id AND revoked_at IS NULL
    """
)


def by_code(
    session: Session, *, code: str, client_id: UUID, now: datetime | None = None
) -> Issuance | None:
    """Return what a code of this client stands for, once.

    A code that comes again was stolen, or its tokens were: all that it gave is revoked.
    """
    asked = {"hash": hashed(code), "client_id": client_id, "now": now}
    found = _issuance(session, _BY_CODE, asked)
    if found is None:
        return None
    if found.code_used_at is not None:
        revoke(session, found, reason="code_replayed", now=now)
        return None
    return found if found.is_live and found.code_expires_at > found.t else None


def use_code(session: Session, found: Issuance) -> None:
    """Mark the code as used; its row is locked."""
    session.execute(_USE, {"id": found.id, "t": found.t})


def by_refresh_token(
    session: Session, *, token: str, client_id: UUID, now: datetime | None = None
) -> tuple[Issuance, RefreshToken] | None:
    """Return the family of a refresh token of this client, and the token that follows.

    The row lock makes parallel refreshes queue; those that come within 30 s of the first get the
    same successor (``accounts.refresh_tokens``). Any other reuse revokes the family.
    """
    sent = refresh_tokens.parse(token)
    found = None if sent is None else by_id(session, sent.sign_in_id, now=now)
    if sent is None or found is None or found.client_id != client_id or not found.is_live:
        return None
    if is_present(found, sent):
        return found, refresh_tokens.successor(sent)
    after = forerun(found, sent)
    if after is not None and not _is_lost_answer(sent, found):
        revoke(session, found, reason="refresh_reused", now=now)
        return None
    return (found, after) if after is not None else None


def is_present(found: Issuance, sent: RefreshToken) -> bool:
    """Return whether this is the family's present refresh token."""
    stored = found.refresh_hash
    return (
        stored is not None
        and sent.number == found.refresh_number
        and crypto.same(sent.hash, stored)
    )


def forerun(found: Issuance, sent: RefreshToken) -> RefreshToken | None:
    """Return the family's present token if the one given came truly before it."""
    if found.refresh_number is None or found.refresh_hash is None:
        return None
    return refresh_tokens.present(sent, number=found.refresh_number, stored=found.refresh_hash)


def _is_lost_answer(sent: RefreshToken, found: Issuance) -> bool:
    is_last = sent.number + 1 == found.refresh_number
    return is_last and found.rotated_at is not None and found.t - found.rotated_at <= REFRESH_REPEAT


def keep_refresh_token(session: Session, found: Issuance, token: RefreshToken) -> None:
    """Store the present refresh token's hash; a repeated answer changes nothing."""
    if token.number != found.refresh_number:
        kept = {"id": found.id, "number": token.number, "hash": token.hash, "t": found.t}
        session.execute(_ROTATE, kept)


def give_token(
    session: Session,
    *,
    client_id: UUID,
    issuance_id: UUID | None,
    scopes: list[str],
    now: datetime | None = None,
) -> str:
    """Draw an access token and store its hash; without an issuance it is the client's own."""
    token = (PARTNER if issuance_id else SERVICE) + secrets.token_urlsafe(TOKEN_BYTES)
    given = {"hash": hashed(token), "client_id": client_id, "issuance_id": issuance_id}
    session.execute(_GIVE, {**given, "scopes": scopes, "life": ACCESS_TOKEN, "now": now})
    return token


def revoke(session: Session, found: Issuance, *, reason: str, now: datetime | None = None) -> None:
    """End a family of tokens and write down why; the first reason stays."""
    if not rows_changed(session, _REVOKE, {"id": found.id, "reason": reason, "now": now}):
        return
    act = Act(
        actor_kind="partner",
        actor_id=found.client_id,
        action=f"oidc.{reason}",
        object_type="oidc_issuance",
        object_id=found.id,
        payload={"account_id": found.account_id},
    )
    record(session, act)


def by_id(session: Session, issuance_id: UUID, *, now: datetime | None = None) -> Issuance | None:
    """Return a family by its id."""
    return _issuance(session, _BY_ID, {"id": issuance_id, "now": now})


def _issuance(session: Session, statement: Any, asked: dict[str, Any]) -> Issuance | None:
    row = session.execute(statement, asked).mappings().first()
    if row is None:
        return None
    hash_ = bytes(row["refresh_hash"]) if row["refresh_hash"] is not None else None
    return Issuance(**{**row, "scopes": frozenset(row["scopes"]), "refresh_hash": hash_})
