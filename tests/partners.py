"""Partners and systems for tests: registered through the services, acting through the doors."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import people
from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.oidc import doors
from citizen_cloud.oidc.services import clients, issuing
from citizen_cloud.oidc.services.clients import NewClient
from citizen_cloud.organisations.services import Actor
from citizen_cloud.text import Text

SYSTEM = Actor("system", None)
CALLBACK = "https://hospital.example/callback"
GOODBYE = "https://hospital.example/goodbye"
ALL_SCOPES = ("openid", "profile", "phone", "birthdate", "real_name", "document")
VERIFIER = "v" * 43


@dataclass(frozen=True)
class Partner:
    """A registered client and its secret."""

    id: UUID
    secret: str | None
    redirect_uri: str = CALLBACK

    @property
    def basic(self):
        pair = f"{self.id}:{self.secret}".encode()
        return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


def register(
    organisation_id, *, kind="web", scopes=ALL_SCOPES, redirect_uri=CALLBACK, permissions=(), **more
):
    """Return a client of an organisation."""
    is_service = kind == "service"
    new = NewClient(
        type=kind,
        name=Text("海天医院", "Haitian Hospital"),
        purpose=Text("登录", "To sign in"),
        organisation_id=organisation_id,
        scopes=scopes,
        redirect_uris=() if is_service else (redirect_uri,),
        post_logout_redirect_uris=() if is_service else (GOODBYE,),
        **more,
    )
    with db.transaction() as session:
        made = clients.register_client(
            session, new=new, delegable=frozenset(permissions), actor=SYSTEM
        )
    return Partner(made.client.id, made.secret, redirect_uri)


def system(organisation_id):
    """Return a system that hands masks out."""
    name = ("masks.redeem",)
    return register(organisation_id, kind="service", scopes=name, permissions=name)


def challenge(verifier=VERIFIER):
    return (
        base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    )


def asked(partner, **changes):
    """Return the query of an authorization request; a change to None leaves a member out."""
    members = {
        "response_type": "code",
        "client_id": str(partner.id),
        "redirect_uri": partner.redirect_uri,
        "scope": "openid profile phone",
        "state": secrets.token_urlsafe(8),
        "nonce": "n-0S6_WzA2Mj",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def query_of(address):
    """Return the members of an address, each once."""
    found = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in found.values()), address
    return {name: values[0] for name, values in found.items()}


class Flow:
    """A browser, an app and a partner's server in one, over Flask's client."""

    def __init__(self, client):
        self.client = client

    def ask(self, partner, **changes):
        return self.client.get("/oauth2/authorize?" + urlencode(asked(partner, **changes)))

    def request_id(self, partner, **changes):
        answer = self.ask(partner, **changes)
        assert answer.status_code == 302, answer.text
        return query_of(answer.headers["Location"])["request"]

    def shown(self, someone, request_id):
        return self.client.get(f"/api/v1/oauth/requests/{request_id}", headers=someone.headers)

    def decide(self, someone, request_id, scopes=("openid", "profile", "phone"), granted=True):
        return self.client.post(
            f"/api/v1/oauth/requests/{request_id}/decision",
            json={"granted": granted, "scopes": list(scopes)},
            headers=someone.headers,
        )

    def code(self, partner, someone, *, scopes=None, **changes):
        """Return a code that a citizen gave."""
        scopes = scopes or ("openid", "profile", "phone")
        request_id = self.request_id(partner, **{"scope": " ".join(scopes), **changes})
        answer = self.decide(someone, request_id, scopes)
        assert answer.status_code == 200, answer.text
        return query_of(answer.json["redirect_to"])["code"]

    def token(self, partner, *, headers=None, **form):
        sent = partner.basic if headers is None and partner.secret else (headers or {})
        if partner.secret is None:
            form.setdefault("client_id", str(partner.id))
        return self.client.post("/oauth2/token", data=form, headers=sent)

    def exchange(self, partner, code, **changes):
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": partner.redirect_uri,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.token(partner, **{k: v for k, v in form.items() if v is not None})

    def tokens(self, partner, someone, **options):
        answer = self.exchange(partner, self.code(partner, someone, **options))
        assert answer.status_code == 200, answer.text
        return answer.json

    def refresh(self, partner, token, **more):
        return self.token(partner, grant_type="refresh_token", refresh_token=token, **more)

    def userinfo(self, token):
        return self.client.get("/oauth2/userinfo", headers={"Authorization": f"Bearer {token}"})

    def system(self, partner, **form):
        return self.token(partner, grant_type="client_credentials", **form)


def change(sql, **values):
    """Move a row, mostly back in time."""
    with db.transaction() as session:
        session.execute(text(sql), values)


def drawn(client, token):
    """Return all that the provider draws or signs for an account and a system, by its kind."""
    flow, place = Flow(client), people.pharmacy()
    someone = SimpleNamespace(headers={"Authorization": f"Bearer {token}"})
    site, other = register(place), register(place, id_token_alg="ES256")  # noqa: S106 - an algorithm
    asked_for = {"scopes": ("openid", "phone")}
    told = flow.tokens(site, someone, **asked_for)
    machine = system(place)
    over = flow.system(machine).json["access_token"]
    change("UPDATE oidc.client SET status = 'suspended' WHERE id = :id", id=machine.id)
    living = flow.system(system(place)).json["access_token"]
    claims = flow.userinfo(told["access_token"]).json
    return {
        "oidc_code": flow.code(site, someone, **asked_for),
        "oidc_access_token": told["access_token"],
        "oidc_access_as_system": told["access_token"].replace(issuing.PARTNER, issuing.SERVICE, 1),
        "oidc_refresh_token": told["refresh_token"],
        "oidc_id_token": told["id_token"],
        "oidc_id_token_es256": flow.tokens(other, someone, **asked_for)["id_token"],
        "oidc_client_secret": site.secret,
        "oidc_client_id": str(site.id),
        "oidc_request": flow.request_id(site),
        "oidc_userinfo": doors.provider_keys().sign(claims, alg="RS256"),
        "oidc_system_over": over,
        "oidc_system_made_up": issuing.SERVICE + "x" * 43,
        "oidc_system_bare": living.removeprefix(issuing.SERVICE),
        "oidc_system_letters": issuing.SERVICE,
    }
