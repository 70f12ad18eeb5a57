"""A citizen's yes or no to a client, and its withdrawal."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services import SignedIn, sign_ins
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound, StepUpRequired
from citizen_cloud.oidc.refusals import ScopeNotAsked
from citizen_cloud.oidc.rules.lifetimes import CODE, REFRESH_TOKEN
from citizen_cloud.oidc.rules.scopes import OPENID, level_needed
from citizen_cloud.oidc.services.requests import Opened, close_request, open_request

CODE_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the citizen said."""

    granted: bool
    scopes: tuple[str, ...] = ()


_CONSENT = text(
    """
    INSERT INTO oidc.consent AS k (client_id, account_id, scopes, granted_at, changed_at)
    SELECT :client_id, :account_id, :scopes, t, t
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock
    ON CONFLICT (account_id, client_id) WHERE withdrawn_at IS NULL DO UPDATE
       SET scopes = excluded.scopes,
           changed_at = CASE WHEN k.scopes = excluded.scopes THEN k.changed_at
                             ELSE excluded.changed_at END
    RETURNING id
    """
)
_ISSUE = text(
    """
    INSERT INTO oidc.issuance
           (id, client_id, account_id, consent_id, sign_in_id, person_id, scopes, level, amr,
            auth_time, nonce, redirect_uri, code_challenge, code_hash, code_expires_at, created_at,
            expires_at)
    SELECT :id, :client_id, :account_id, :consent_id, s.id, :person_id, :scopes, :level, s.amr,
           s.proved_at, :nonce, :redirect_uri, :code_challenge, :code_hash, t + :code_life, t,
           t + :life
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock,
           accounts.sign_in s
     WHERE s.id = :sign_in_id
    """
)


def decide(
    session: Session,
    *,
    request_id: UUID,
    caller: SignedIn,
    decision: Decision,
    issuer: str,
    now: datetime | None = None,
) -> str:
    """Answer a request once and return where the client waits for the answer.

    Raises ``NotFound``, ``RequestOver``, ``ScopeNotAsked``, ``Unauthenticated`` where the sign-in
    ended meanwhile, and ``StepUpRequired`` where the client
    asked for more proof than the present sign-in gives.
    """
    opened = open_request(session, request_id=request_id, account_id=caller.account_id, now=now)
    if not decision.granted:
        close_request(session, request_id=opened.id, now=now)
        return answer_address(opened, {"error": "access_denied"}, issuer)
    granted = _granted(opened, decision.scopes)
    check_proof(opened, caller, granted)
    # A yes that was under way must not come after the recovery that ends them all.
    sign_ins.require_live(session, account_id=caller.account_id, sign_in_id=caller.sign_in_id)
    close_request(session, request_id=opened.id, now=now)
    code = _issue(session, opened, caller=caller, granted=granted, now=now)
    return answer_address(opened, {"code": code}, issuer)


def _granted(opened: Opened, said: Collection[str]) -> list[str]:
    """Return the scopes in one order. Raises ``ScopeNotAsked``."""
    if OPENID not in said or not set(said) <= set(opened.scopes) & opened.allowed:
        raise ScopeNotAsked
    return sorted(set(said))


def check_proof(opened: Opened, caller: SignedIn, granted: Collection[str]) -> None:
    """Let pass whose sign-in proves what the client asked for. Raises ``StepUpRequired``.

    A phone number that changed hands opens the account, but not the person behind it: until the
    document was shown on this device, no partner is told that this is that person.
    """
    level = max(opened.level, level_needed(granted))
    if caller.has_person and caller.identity is None:
        level = max(level, 2)
    if caller.level < level:
        raise StepUpRequired(required_level=level)
    oldest = _oldest_proof(opened)
    if oldest is not None and caller.proved_ago > oldest:
        raise StepUpRequired(required_level=level, max_age_s=int(oldest.total_seconds()))


def _oldest_proof(opened: Opened) -> timedelta | None:
    """Return how old the factors may be; shown since the request, they are always new enough."""
    if opened.login:
        return opened.age
    return (
        None if opened.max_age_s is None else max(opened.age, timedelta(seconds=opened.max_age_s))
    )


def _issue(
    session: Session, opened: Opened, *, caller: SignedIn, granted: list[str], now: datetime | None
) -> str:
    """Keep the consent and what hangs on it; return the code, of which only the hash is kept."""
    code = secrets.token_urlsafe(CODE_BYTES)
    by = {"client_id": opened.client_id, "account_id": caller.account_id, "scopes": granted}
    consent_id = session.scalar(_CONSENT, {**by, "now": now})
    issued = {
        **by,
        "id": new_id(),
        "consent_id": consent_id,
        "person_id": caller.identity.person_id if caller.identity else None,
        "level": caller.level,
        "sign_in_id": caller.sign_in_id,
        "nonce": opened.nonce,
        "redirect_uri": opened.redirect_uri,
        "code_challenge": opened.code_challenge,
        "code_hash": hashed(code),
        "code_life": CODE,
        "life": REFRESH_TOKEN,
        "now": now,
    }
    session.execute(_ISSUE, issued)
    record(session, _act("consent_granted", caller.account_id, opened.client_id, granted))
    return code


def hashed(secret: str) -> bytes:
    """Return what is stored of a code or token of 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def answer_address(opened: Opened, answer: dict[str, str], issuer: str) -> str:
    """Return the client's address with the answer, its state and our name (RFC 9207)."""
    members = {**answer, **({"state": opened.state} if opened.state else {}), "iss": issuer}
    joint = "&" if "?" in opened.redirect_uri else "?"
    return f"{opened.redirect_uri}{joint}{urlencode(members)}"


_WITHDRAW = text(
    """
    UPDATE oidc.consent
       SET withdrawn_at = coalesce(cast(:now AS timestamptz), statement_timestamp())
     WHERE account_id = :account_id AND client_id = :client_id AND withdrawn_at IS NULL
    RETURNING id, scopes
    """
)
_END = text(
    """
    UPDATE oidc.issuance
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp()),
           revoked_because = 'withdrawn'
     WHERE consent_id = :consent_id AND revoked_at IS NULL
    """
)


def withdraw(
    session: Session, *, account_id: UUID, client_id: UUID, now: datetime | None = None
) -> None:
    """Take a yes back: every token it gave is refused from now on. Raises ``NotFound``."""
    row = session.execute(
        _WITHDRAW, {"account_id": account_id, "client_id": client_id, "now": now}
    ).first()
    if row is None:
        raise NotFound
    session.execute(_END, {"consent_id": row.id, "now": now})
    record(session, _act("consent_withdrawn", account_id, client_id, row.scopes))


def _act(verb: str, account_id: UUID, client_id: UUID, scopes: list[str]) -> Act:
    return Act(
        actor_kind="citizen",
        actor_id=account_id,
        action=f"oidc.{verb}",
        object_type="oidc_client",
        object_id=client_id,
        payload={"scopes": scopes},
    )
