"""A certified relying-party library signs a citizen in, over the network, at a real server."""

import base64
import json
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import live
import partners
import people
import pytest
from idpyoidc.client.rp_handler import RPHandler
from idpyoidc.exception import VerificationError
from partners import CALLBACK, GOODBYE, VERIFIER, query_of

from citizen_cloud import crypto, db
from citizen_cloud.db import PooledDatabase

SCOPES = ["openid", "profile", "phone"]
KEYS = {
    "key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}],
    "read_only": False,
}


class City:
    """A server, and the app of a citizen who is asked."""

    def __init__(self, server):
        self.url = server.url
        self.http = httpx.Client(base_url=server.url, follow_redirects=False, timeout=20)
        self.citizen = people.citizen()
        self.hospital = people.pharmacy("海天医院")

    def answer(self, address, *, scopes=None, granted=True):
        """Follow a browser to the app, let the citizen answer, return where it is sent back to."""
        sent = self.http.get(address)
        assert sent.status_code == 302, sent.text
        request_id = query_of(sent.headers["Location"])["request"]
        asked = self.http.get(
            f"/api/v1/oauth/requests/{request_id}", headers=self.citizen.headers
        ).json()
        said = scopes or [scope["name"] for scope in asked["scopes"]]
        decided = self.http.post(
            f"/api/v1/oauth/requests/{request_id}/decision",
            json={"granted": granted, "scopes": said},
            headers=self.citizen.headers,
        )
        assert decided.status_code == 200, decided.text
        return decided.json()["redirect_to"]

    def token(self, partner, **form):
        sent = {"code_verifier": VERIFIER, "redirect_uri": CALLBACK, **form}
        return self.http.post(
            "/oauth2/token",
            data={name: value for name, value in sent.items() if value is not None},
            headers=partner.basic,
        )


@contextmanager
def serving(fresh, log):
    server = live.Server(fresh.settings, log)
    server._environment["CITIZEN_CLOUD_PUBLIC_URL"] = server.url
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def city(cluster, tmp_path_factory):
    """Run one server for the file, on a database of its own."""
    from conftest import FreshDatabase, copy_of_template, run_as_superuser, settings_for

    folder = tmp_path_factory.mktemp("provider")
    name = copy_of_template(cluster)
    settings = replace(settings_for(cluster, name), sms_log=folder / "sms.log", pool_size=8)
    crypto.configure(settings)
    pool = PooledDatabase(settings.database_url, pool_size=4)
    db.install(pool)
    with serving(FreshDatabase(settings, pool), folder / "server.log") as server:
        found = City(server)
        yield found
        found.http.close()
    pool.dispose()
    run_as_superuser(cluster, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def site(city):
    return partners.register(city.hospital)


def relying_party(city, partner, *, alg="RS256"):
    """Return idpyoidc's handler, which knows the issuer's address and its own secret only."""
    configuration = {
        "issuer": city.url,
        "client_id": str(partner.id),
        "client_secret": partner.secret,
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [GOODBYE],
        "client_type": "oidc",
        "response_types_supported": ["code"],
        "scopes_supported": SCOPES,
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "client_authn_methods": ["client_secret_basic", "client_secret_post", "bearer_header"],
        "id_token_signing_alg_values_supported": [alg],
        "add_ons": {
            "pkce": {
                "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
            }
        },
        "services": {
            name: {"class": f"idpyoidc.client.oidc.{place}"}
            for name, place in {
                "discovery": "provider_info_discovery.ProviderInfoDiscovery",
                "registration": "registration.Registration",
                "authorization": "authorization.Authorization",
                "accesstoken": "access_token.AccessToken",
                "refresh_access_token": "refresh_access_token.RefreshAccessToken",
                "userinfo": "userinfo.UserInfo",
                "end_session": "end_session.EndSession",
            }.items()
        },
    }
    return RPHandler(
        base_url="https://hospital.example",
        client_configs={city.url: configuration},
        key_conf=json.loads(json.dumps(KEYS)),
        httpc_params={"verify": False, "timeout": 20},
    )


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_a_certified_library_signs_a_citizen_in_and_out(city, alg):
    partner = partners.register(city.hospital, id_token_alg=alg)
    handler = relying_party(city, partner, alg=alg)
    address = handler.begin(issuer_id=city.url)
    back = query_of(city.answer(address))
    assert back["iss"] == city.url
    done = handler.finalize(city.url, back)
    assert "error" not in done, done
    assert done["userinfo"]["name"] == "王小明"
    assert done["userinfo"]["sub"] == done["id_token"]["sub"]
    assert done["id_token"]["acr"] == "urn:citizen-cloud:acr:L2"
    refreshed = handler.refresh_access_token(back["state"])
    assert refreshed["access_token"] != done["token"]
    told = handler.get_user_info(back["state"], access_token=refreshed["access_token"])
    assert told["sub"] == done["userinfo"]["sub"]
    farewell = handler.logout(back["state"], post_logout_redirect_uri=GOODBYE)
    sent = city.http.get(farewell["url"])
    assert sent.status_code == 302
    assert sent.headers["Location"].startswith(GOODBYE)
    bearer = {"Authorization": f"Bearer {refreshed['access_token']}"}
    assert city.http.get("/oauth2/userinfo", headers=bearer).status_code == 401


def test_the_library_refuses_the_answer_of_another_provider(city, site):
    """Mixed-up providers (RFC 9207): the name in the answer is not the one that was asked."""
    handler = relying_party(city, site)
    back = query_of(city.answer(handler.begin(issuer_id=city.url)))
    with pytest.raises(VerificationError, match="Issuer mismatch"):
        handler.finalize(city.url, {**back, "iss": "https://evil.example"})


def test_the_library_refuses_an_id_token_with_anothers_nonce(city, site):
    """A code injected from another sign-in: its ID token answers another nonce."""
    handler = relying_party(city, site)
    address = handler.begin(issuer_id=city.url)
    nonce = query_of(address)["nonce"]
    back = query_of(city.answer(address.replace(nonce, "x" * len(nonce))))
    with pytest.raises((ValueError, VerificationError), match=r"(?i)nonce"):
        handler.finalize(city.url, back)


def test_the_library_refuses_an_answer_with_anothers_state(city, site):
    handler = relying_party(city, site)
    back = query_of(city.answer(handler.begin(issuer_id=city.url)))
    with pytest.raises(KeyError, match="Unknown state"):
        handler.finalize(city.url, {**back, "state": "another"})


def ask(city, partner, **changes):
    return "/oauth2/authorize?" + urlencode(partners.asked(partner, **changes))


def test_an_unregistered_address_is_never_redirected_to(city, site):
    for wrong in (
        "https://evil.example/callback",
        CALLBACK + "/",
        CALLBACK + "?x=1",
        CALLBACK.replace("https", "http"),
        CALLBACK.replace("hospital", "Hospital"),
        "https://hospital.example@evil.example/callback",
        "https://hospital.example.evil.example/callback",
        "javascript:alert(1)",
    ):
        answer = city.http.get(ask(city, site, redirect_uri=wrong))
        assert (answer.status_code, "Location" in answer.headers) == (400, False), wrong
        assert "evil" not in answer.text


def test_without_a_hashed_challenge_nothing_begins(city, site):
    for changes in (
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
    ):
        answer = city.http.get(ask(city, site, **changes))
        told = query_of(answer.headers["Location"])
        assert answer.headers["Location"].startswith(CALLBACK)
        assert (told["error"], told["iss"]) == ("invalid_request", city.url)


def test_a_code_is_worth_nothing_without_its_verifier(city, site):
    code = query_of(city.answer(ask(city, site)))["code"]
    form = {"grant_type": "authorization_code", "code": code}
    for verifier in (None, "w" * 43, partners.challenge()):
        answer = city.token(site, **form, code_verifier=verifier)
        assert answer.status_code == 400, verifier
        assert answer.json()["error"] in ("invalid_request", "invalid_grant")
    assert city.token(site, **form).status_code == 200


def test_a_replayed_code_takes_back_what_it_gave(city, site):
    code = query_of(city.answer(ask(city, site)))["code"]
    form = {"grant_type": "authorization_code", "code": code}
    given = city.token(site, **form).json()
    bearer = {"Authorization": f"Bearer {given['access_token']}"}
    assert city.http.get("/oauth2/userinfo", headers=bearer).status_code == 200
    again = city.token(site, **form)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert city.http.get("/oauth2/userinfo", headers=bearer).status_code == 401
    refreshed = city.token(
        site, grant_type="refresh_token", refresh_token=given["refresh_token"], redirect_uri=None
    )
    assert refreshed.json()["error"] == "invalid_grant"


def test_a_code_of_one_client_is_nothing_at_another(city, site):
    other = partners.register(city.hospital)
    code = query_of(city.answer(ask(city, site)))["code"]
    form = {"grant_type": "authorization_code", "code": code}
    stolen = city.token(other, **form)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    # The attempt took nothing from its owner.
    assert city.token(site, **form).status_code == 200


def test_a_partner_that_hears_no_tells_so(city, site):
    handler = relying_party(city, site)
    address = handler.begin(issuer_id=city.url)
    back = query_of(city.answer(address, granted=False))
    assert (back["error"], back["iss"]) == ("access_denied", city.url)
    assert handler.finalize(city.url, back)["error"] == "access_denied"


def test_a_system_gets_a_token_of_its_own(city):
    system = partners.register(
        city.hospital, kind="service", scopes=("masks.redeem",), permissions=("masks.redeem",)
    )
    basic = base64.b64encode(f"{system.id}:{system.secret}".encode()).decode()
    answer = city.http.post(
        "/oauth2/token",
        content=urlencode({"grant_type": "client_credentials"}),
        headers={
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    token = answer.json()["access_token"]
    assert "refresh_token" not in answer.json()
    seen = city.http.get(
        "/api/v1/masks/staff/bookings", headers={"Authorization": f"Bearer {token}"}
    )
    assert seen.status_code == 200, seen.text


def test_what_browsers_see_cannot_be_framed_or_kept(city, site):
    for path in (ask(city, site, redirect_uri="https://evil.example"), "/app/authorize"):
        answer = city.http.get(path)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_partners_page_may_read_the_token_door(city):
    sent = {"Origin": "https://hospital.example", "Access-Control-Request-Method": "POST"}
    answer = city.http.options("/oauth2/token", headers=sent)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    seen = city.http.get("/api/v1/me", headers=sent)
    assert "Access-Control-Allow-Origin" not in seen.headers
