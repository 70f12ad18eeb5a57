"""Register clients, change them, and give them secrets."""

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services.systems import name_service_account, open_service_account
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.errors import NotFound, StaleVersion
from citizen_cloud.oidc.keys import ALGORITHMS
from citizen_cloud.oidc.models import Client
from citizen_cloud.oidc.refusals import (
    AddressNotAllowed,
    ClientOrganisationClosed,
    NoSecret,
    ScopeUnknown,
    SectorNeeded,
)
from citizen_cloud.oidc.rules import addresses, scopes
from citizen_cloud.oidc.rules.lifetimes import OLD_SECRET
from citizen_cloud.organisations.models import Organisation
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text

CONFIDENTIAL = frozenset({"web", "service"})
SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class NewClient:
    """A client as an administrator describes it."""

    type: str
    name: Text
    purpose: Text
    organisation_id: UUID
    scopes: Sequence[str]
    redirect_uris: Sequence[str] = ()
    post_logout_redirect_uris: Sequence[str] = ()
    sector: str | None = None
    id_token_alg: str = ALGORITHMS[0]


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A client with the secret it was just given, which is shown this once."""

    client: Client
    secret: str | None = field(repr=False)


def register_client(
    session: Session,
    *,
    new: NewClient,
    delegable: frozenset[str],
    actor: Actor,
    now: datetime | None = None,
) -> Registration:
    """Register a client and give it its first secret where it can keep one.

    ``delegable`` are the permissions a system may hold. Raises ``NotFound`` for the organisation,
    ``ClientOrganisationClosed``, ``ScopeUnknown``, ``AddressNotAllowed``, ``SectorNeeded``.
    """
    _check_organisation(session, new.organisation_id)
    _check_scopes(new.type, new.scopes, delegable)
    _check_addresses(new)
    client = Client(
        id=new_id(),
        type=new.type,
        name=new.name.as_json(),
        purpose=new.purpose.as_json(),
        organisation_id=new.organisation_id,
        account_id=open_service_account(session, name=new.name.zh)
        if new.type == "service"
        else None,
        sector=_sector(new.type, new.sector, new.redirect_uris),
        redirect_uris=list(new.redirect_uris),
        post_logout_redirect_uris=list(new.post_logout_redirect_uris),
        scopes=sorted(set(new.scopes)),
        id_token_alg=new.id_token_alg,
    )
    session.add(client)
    session.flush()
    session.refresh(client)
    facts = {"type": client.type, "scopes": client.scopes, "sector": client.sector}
    record(session, _act("client_registered", client, actor, facts))
    secret = _draw(session, client.id, now) if client.type in CONFIDENTIAL else None
    return Registration(client=client, secret=secret)


def change_client(
    session: Session,
    *,
    client_id: UUID,
    changes: Mapping[str, Any],
    delegable: frozenset[str],
    expected_version: int | None,
    actor: Actor,
    now: datetime | None = None,
) -> Client:
    """Change columns of a client; a suspended one is refused from the next request on.

    Let in again it begins anew, so that nothing that was stolen before comes back to life. The
    sector stays: with another one every citizen would be a stranger to the client. Raises
    ``NotFound``, ``StaleVersion``, ``ScopeUnknown``, ``AddressNotAllowed``.
    """
    client = session.get(Client, client_id, with_for_update=True)
    if client is None:
        raise NotFound
    if expected_version is not None and client.version != expected_version:
        raise StaleVersion(version=client.version)
    in_order = {"scopes": sorted(set(changes["scopes"]))} if "scopes" in changes else {}
    wanted = {**changes, **in_order}
    changed = {key: value for key, value in wanted.items() if getattr(client, key) != value}
    if not changed:
        return client
    for key, value in changed.items():
        setattr(client, key, value)
    _check_change(client, changed.keys(), delegable)
    if changed.get("status") == "active":
        client.active_since = now or session.scalar(text("SELECT statement_timestamp()"))
    if client.account_id is not None and "name" in changed:
        name_service_account(session, client.account_id, name=client.name["zh"])
    client.version += 1
    facts = {"fields": sorted(changed), "status": client.status, "scopes": client.scopes}
    record(session, _act("client_changed", client, actor, facts))
    return client


def _check_change(client: Client, changed: Collection[str], delegable: frozenset[str]) -> None:
    if "scopes" in changed:
        _check_scopes(client.type, client.scopes, delegable)
    if "redirect_uris" in changed or "post_logout_redirect_uris" in changed:
        _check_addresses(client)


_OLD = text(
    """
    UPDATE oidc.client_secret
       SET expires_at = coalesce(cast(:now AS timestamptz), statement_timestamp()) + :grace
     WHERE client_id = :client_id AND expires_at IS NULL
    """
)
# Two at most: what was on its way out already goes now.
_DROP = text(
    "DELETE FROM oidc.client_secret WHERE client_id = :client_id AND expires_at IS NOT NULL"
)
_NEW = text(
    """
    INSERT INTO oidc.client_secret (client_id, secret_hash, created_at)
    VALUES (:client_id, :hash, coalesce(cast(:now AS timestamptz), statement_timestamp()))
    """
)


def rotate_secret(
    session: Session, *, client_id: UUID, actor: Actor, now: datetime | None = None
) -> Registration:
    """Give a client another secret; the one before it works for a day more.

    Raises ``NotFound``, ``NoSecret``.
    """
    client = session.get(Client, client_id, with_for_update=True)
    if client is None:
        raise NotFound
    if client.type not in CONFIDENTIAL:
        raise NoSecret
    session.execute(_DROP, {"client_id": client_id})
    session.execute(_OLD, {"client_id": client_id, "now": now, "grace": OLD_SECRET})
    record(session, _act("client_secret_rotated", client, actor, {}))
    return Registration(client=client, secret=_draw(session, client_id, now))


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a secret; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _draw(session: Session, client_id: UUID, now: datetime | None) -> str:
    secret = secrets.token_urlsafe(SECRET_BYTES)
    session.execute(_NEW, {"client_id": client_id, "hash": secret_hash(secret), "now": now})
    return secret


def _check_organisation(session: Session, organisation_id: UUID) -> None:
    found = session.get(Organisation, organisation_id, with_for_update={"key_share": True})
    if found is None:
        raise NotFound
    if found.status != "active":
        raise ClientOrganisationClosed


def _check_scopes(client_type: str, asked: Sequence[str], delegable: frozenset[str]) -> None:
    known = delegable if client_type == "service" else scopes.SCOPES
    wrong = [number for number, name in enumerate(asked) if name not in known]
    if wrong:
        raise ScopeUnknown(errors=_faults("scopes", wrong))
    if client_type != "service" and scopes.OPENID not in asked:
        raise ScopeUnknown(errors=[{"pointer": "/scopes", "code": "required"}])


def _check_addresses(client: Client | NewClient) -> None:
    """Let a service have none; everybody else needs one to be answered at."""
    is_service = client.type == "service"
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        wrong = [
            number
            for number, uri in enumerate(getattr(client, name))
            if is_service or not addresses.is_acceptable(uri, client_type=client.type)
        ]
        if wrong:
            raise AddressNotAllowed(errors=_faults(name, wrong))
    if not is_service and not client.redirect_uris:
        raise AddressNotAllowed(errors=[{"pointer": "/redirect_uris", "code": "required"}])


def _faults(name: str, places: Sequence[int]) -> list[dict[str, str]]:
    """Return where the wrong ones stand, and not what was sent."""
    return [{"pointer": f"/{name}/{place}", "code": "invalid"} for place in places]


def _sector(client_type: str, named: str | None, uris: Sequence[str]) -> str:
    if client_type == "service":
        return "service"
    found = named or addresses.sector_of(uris)
    # Every app on every telephone is at 127.0.0.1: that is no identity they could have in common.
    if found is None or found in addresses.LOOPBACK or not addresses.is_sector(found):
        raise SectorNeeded
    return found


def _act(verb: str, client: Client, actor: Actor, facts: Mapping[str, Any]) -> Act:
    return Act(
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=f"oidc.{verb}",
        object_type="oidc_client",
        object_id=client.id,
        organisation_id=client.organisation_id,
        payload=facts,
    )
