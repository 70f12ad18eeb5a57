"""What an authorization request must look like beyond OAuth: OpenID Connect Core 3.1.2."""

import re
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from authlib.oidc.core.errors import (
    ConsentRequiredError,
    LoginRequiredError,
    RegistrationNotSupportedError,
    RequestNotSupportedError,
    RequestURINotSupportedError,
)

from citizen_cloud.oidc.rules.scopes import level_of
from citizen_cloud.oidc.services.requests import Asked

_SECONDS = re.compile("[0-9]{1,9}", re.ASCII)
PROMPTS = frozenset({"none", "login", "consent", "select_account"})
NOT_SUPPORTED = {
    "request": RequestNotSupportedError,
    "request_uri": RequestURINotSupportedError,
    "registration": RegistrationNotSupportedError,
}


def asked_of(grant: Any) -> Asked:
    """Return a validated request's facts. Raises ``OAuth2Error``, which goes to the client."""
    try:
        return _asked(grant)
    except OAuth2Error as error:
        error.redirect_uri = grant.redirect_uri
        error.state = grant.request.payload.state
        raise


def _asked(grant: Any) -> Asked:
    payload = grant.request.payload
    sent: dict[str, str] = payload.data
    for name, refusal in NOT_SUPPORTED.items():
        if name in sent:
            raise refusal
    if any(len(values) > 1 for values in payload.datalist.values()):
        raise InvalidRequestError("A parameter is repeated.")
    if sent.get("response_mode", "query") != "query":
        raise InvalidRequestError("'response_mode' must be query.")
    scopes = tuple(grant.request.scope.split())
    return Asked(
        redirect_uri=grant.redirect_uri,
        scopes=scopes,
        code_challenge=sent["code_challenge"],
        state=sent.get("state"),
        nonce=sent.get("nonce"),
        login="login" in _prompts(grant, sent, frozenset(scopes)),
        max_age_s=_max_age(sent.get("max_age")),
        level=level_of(sent.get("acr_values", "").split()),
    )


def _prompts(grant: Any, sent: dict[str, str], scopes: frozenset[str]) -> frozenset[str]:
    """Return what the citizen has to do again.

    The provider keeps no session in the browser: the app is where citizens are signed in. So a
    client that wants no screen is told at once that one is needed, and which.
    """
    prompts = frozenset(sent.get("prompt", "").split())
    if not prompts <= PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise InvalidRequestError("'prompt' is not known, or 'none' is not alone.")
    if "none" in prompts:
        hinted = grant.server.agreed_by_hint(sent.get("id_token_hint"), grant.request.client)
        if hinted is not None and not scopes <= hinted:
            raise ConsentRequiredError
        raise LoginRequiredError
    return prompts


def _max_age(text: str | None) -> int | None:
    if text is None:
        return None
    if not _SECONDS.fullmatch(text):
        raise InvalidRequestError("'max_age' must be a number of seconds.")
    return int(text)
