"""Doors of the provider, outside the API: they speak OAuth, and discovery describes them."""

import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

import orjson
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from flask import Flask, Response, request

from citizen_cloud import db
from citizen_cloud.config import Settings
from citizen_cloud.oidc import discovery, keys, pages
from citizen_cloud.oidc.issuer import APP_PAGE, EXTENSION, Issuer, issuer
from citizen_cloud.oidc.keys import ProviderKeys
from citizen_cloud.oidc.protocol.authorization import asked_of
from citizen_cloud.oidc.protocol.incoming import Incoming
from citizen_cloud.oidc.protocol.server import Answer, Provider
from citizen_cloud.oidc.services import signing_keys, userinfo
from citizen_cloud.oidc.services.requests import keep_request
from citizen_cloud.web import around
from citizen_cloud.web.marks import any_version, limited, public

FORM = "application/x-www-form-urlencoded"
PUBLIC_HOUR = "public, max-age=3600"
# Not longer: a key that is brought in at once has to be seen soon.
PUBLIC_MINUTE = "public, max-age=60"
# Pages of partners read these from other origins; none of them looks at a cookie.
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Max-Age": "3600",
}


def install(app: Flask, settings: Settings) -> None:
    """Add the doors; each is marked like any other."""
    app.extensions[EXTENSION] = Issuer.of(settings)
    # It writes tokens into its debug lines.
    logging.getLogger("authlib").setLevel(logging.INFO)
    both, post, get = ["GET", "POST"], ["POST"], ["GET"]
    doors = (
        ("/.well-known/openid-configuration", configuration, get),
        ("/.well-known/oauth-authorization-server", server_metadata, get),
        ("/oauth2/jwks.json", jwks, get),
        ("/oauth2/token", token, post),
        ("/oauth2/userinfo", user_info, both),
        ("/oauth2/revoke", revoke, post),
        ("/oauth2/introspect", introspect, post),
        ("/oauth2/authorize", authorize, both),
        ("/oauth2/logout", log_out, both),
        (APP_PAGE, app_page, get),
    )
    for path, view, methods in doors:
        app.add_url_rule(path, f"oidc_{view.__name__}", view, methods=methods)
    # What a page fetches; where a browser goes itself (authorize, logout) there is nothing to read.
    shared = [path for path, *_ in doors[:6]]
    # The header fields of every answer say same-site; these are read from other sites.
    around.share(app, shared, {**CORS, "Cross-Origin-Resource-Policy": "cross-origin"})


def provider_keys() -> ProviderKeys:
    """Return the keys: from memory, else from the database, where the first call makes them."""
    held = keys.remembered()
    if held is not None:
        return held
    with db.transaction() as session:
        found = signing_keys.provider_keys(session)
    return keys.remember(found)


@any_version
@public
def configuration() -> Response:
    """Describe the provider (OpenID Connect Discovery)."""
    return _json(discovery.metadata(issuer().url), cache=PUBLIC_HOUR)


@any_version
@public
def server_metadata() -> Response:
    """Describe the provider (RFC 8414)."""
    return _json(discovery.metadata(issuer().url), cache=PUBLIC_HOUR)


@any_version
@public
def jwks() -> Response:
    """Give the keys that ID tokens are signed with, also those to come."""
    return _json(provider_keys().key_set, cache=PUBLIC_MINUTE)


@any_version
@limited("600/minute", by="address")
@public
def authorize() -> Response:
    """Look at a client's request, keep it, and send the browser to the app."""
    asked = Incoming(request.method, _parameters(), dict(request.headers))
    held = provider_keys()
    try:
        asked.check()
        with db.transaction() as session:
            provider = Provider(session, issuer=issuer().url, keys=held)
            grant = provider.get_consent_grant(asked)
            found = asked_of(grant)
            kept = keep_request(session, client=grant.request.client.registered, asked=found)
    except OAuth2Error as error:
        return _refused(error)
    joint = "&" if "?" in issuer().app_link else "?"
    return _redirect(f"{issuer().app_link}{joint}{urlencode({'request': kept})}")


@any_version
@public
def app_page() -> Response:
    """Be what a browser finds where the app did not open by itself."""
    return pages.open_in_app()


@any_version
@limited("3000/minute", by="address")
@public
def token() -> Response:
    """Exchange a code, a refresh token or a system's secret for tokens."""
    return _answered(lambda provider, asked: provider.create_token_response(asked))


@any_version
@limited("600/minute", by="address")
@public
def revoke() -> Response:
    """Take a token back (RFC 7009)."""
    return _answered(lambda provider, asked: provider.create_endpoint_response("revocation", asked))


@any_version
@limited("3000/minute", by="address")
@public
def introspect() -> Response:
    """Tell a client what its own token is good for (RFC 7662)."""
    return _answered(
        lambda provider, asked: provider.create_endpoint_response("introspection", asked)
    )


@any_version
@limited("3000/minute", by="address")
@public
def user_info() -> Response:
    """Tell a partner what the citizen agreed to share (OpenID Connect Core 5.3)."""
    sent = request.headers.getlist("Authorization")
    scheme, _, bearer = sent[0].partition(" ") if len(sent) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not bearer:
        return _unauthorized("Bearer")
    with db.transaction() as session:
        found = userinfo.holder(session, token=bearer)
        told = None if found is None else userinfo.tell(session, found)
    if told is None:
        return _unauthorized('Bearer error="invalid_token"', error="invalid_token")
    return _json(told)


@any_version
@limited("600/minute", by="address")
@public
def log_out() -> Response:
    """End a sign-in at a partner (RP-Initiated Logout)."""
    asked = Incoming(request.method, _parameters(), dict(request.headers))
    held = provider_keys()
    try:
        asked.check_once()
        with db.transaction() as session:
            provider = Provider(session, issuer=issuer().url, keys=held)
            wish = provider.validate_endpoint_request("end_session", asked)
            answer: Answer | None = provider.create_endpoint_response("end_session", wish)
    except OAuth2Error as error:
        return pages.refused(error.error)
    if answer is None:
        return pages.logged_out() if wish.id_token_claims else pages.nothing_ended()
    return _response(answer)


def _parameters() -> Iterable[tuple[str, str]]:
    """Return what the browser brought: in the address, or in a form (Core 3.1.2.1)."""
    values = request.args if request.method == "GET" else request.form
    pairs: Iterable[tuple[str, str]] = values.items(multi=True)
    return pairs


def _answered(work: Any) -> Response:
    """Answer a client's own request; parameters come in the form alone, never in the address."""
    asked = Incoming(request.method, request.form.items(multi=True), dict(request.headers))
    held = provider_keys()
    try:
        if request.mimetype != FORM or request.args:
            raise InvalidRequestError(f"Send parameters as {FORM}.")
        asked.check_once()
    except OAuth2Error as error:
        return _response(_answer_of(error))
    with db.transaction() as session:
        answer: Answer = work(Provider(session, issuer=issuer().url, keys=held), asked)
    return _response(answer)


def _answer_of(error: OAuth2Error) -> Answer:
    status, body, headers = error()
    return Answer(status=status, body=dict(body), headers=tuple(headers))


def _refused(error: OAuth2Error) -> Response:
    """Send the browser back with the error, where the address is known to be the client's."""
    if not error.redirect_uri:
        return pages.refused(error.error)
    members = [*error.get_body(), ("iss", issuer().url)]
    return _redirect(str(add_params_to_uri(error.redirect_uri, members)))


def _response(answer: Answer) -> Response:
    response = _json(answer.body, status=answer.status)
    if not isinstance(answer.body, dict):
        response = Response(answer.body, status=answer.status)
    for name, value in answer.headers:
        response.headers[name] = value
    return response


def _unauthorized(challenge: str, **body: str) -> Response:
    """Answer as RFC 6750 3 asks for."""
    response = _json(body, status=401)
    response.headers["WWW-Authenticate"] = challenge
    return response


def _redirect(address: str) -> Response:
    return Response(status=302, headers={"Location": address, **pages.SAFETY})


def _json(content: object, *, status: int = 200, cache: str = "no-store") -> Response:
    answer = Response(orjson.dumps(content), status=status, mimetype="application/json")
    answer.headers["Cache-Control"] = cache
    return answer
