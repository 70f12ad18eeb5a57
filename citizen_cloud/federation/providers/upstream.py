"""Any OpenID provider as an upstream, such as a government's identity platform.

Authorization code with PKCE; the code is exchanged server to server, the ID token checked against
the upstream's keys. What the upstream vouches for (assurance level, document, name) comes from the
ID token, or from userinfo where the token lacks it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import structlog

from citizen_cloud.config import FederationSettings
from citizen_cloud.federation.providers.id_tokens import (
    IdTokenInvalid,
    UpstreamKeys,
    checked_claims,
)
from citizen_cloud.federation.providers.wire import Answer, Wire
from citizen_cloud.federation.refusals import FederatedCodeInvalid, ProviderUnavailable
from citizen_cloud.federation.rules import (
    TITLES,
    Kind,
    Started,
    Vouched,
    assurance_level,
    document_of,
    is_recent,
)
from citizen_cloud.text import Text

KEEP_S = 3_600.0
DISCOVERY = "/.well-known/openid-configuration"
LONGEST_TOKEN = 8_192

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where the upstream answers, and how we show it who we are."""

    authorize: str
    token: str
    jwks: str
    userinfo: str | None
    client_auth: str


class Upstream:
    """One configured OpenID provider."""

    name = "oidc"
    kind: Kind = "redirect"

    def __init__(
        self,
        settings: FederationSettings,
        *,
        wire: Wire | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = title_of(settings.upstream_name)
        self._settings = settings
        self._wire = wire or Wire(self.name)
        self._monotonic = monotonic
        self._keys = UpstreamKeys(self._wire, monotonic=monotonic)
        self._found: tuple[float, Endpoints] | None = None

    def authorize_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Return where the citizen goes to sign in. Raises ``ProviderUnavailable``."""
        asked = {
            "response_type": "code",
            "client_id": self._settings.upstream_client_id,
            "redirect_uri": self._settings.upstream_redirect_url,
            "scope": self._settings.upstream_scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        url = self._endpoints().authorize
        return f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}"

    def exchange(self, code: str, *, started: Started | None, now: datetime) -> Vouched:
        """Return who the code says has signed in there.

        Raises ``FederatedCodeInvalid`` for a code, or an ID token, that is not this start's, and
        ``ProviderUnavailable``.
        """
        if started is None:
            raise FederatedCodeInvalid
        endpoints = self._endpoints()
        tokens = self._tokens(endpoints, code, started.verifier)
        try:
            claims = checked_claims(
                tokens.get("id_token"),
                find=lambda kid: self._keys.find(endpoints.jwks, kid),
                issuer=self._settings.upstream_issuer,
                client_id=self._settings.upstream_client_id,
                nonce=started.nonce,
                now=now,
            )
        except IdTokenInvalid as error:
            log.warning("id_token_refused", provider=self.name, reason=error.reason)
            raise FederatedCodeInvalid from None
        return self._vouched(endpoints, claims, tokens.get("access_token"), now)

    def _vouched(
        self, endpoints: Endpoints, claims: dict[str, Any], access_token: object, now: datetime
    ) -> Vouched:
        if document_of(claims) is None:
            claims = {**self._userinfo(endpoints, claims["sub"], access_token), **claims}
        return Vouched(
            subject=claims["sub"],
            level=assurance_level(claims),
            document=document_of(claims),
            is_fresh=is_recent(claims.get("auth_time"), now),
        )

    def _tokens(self, endpoints: Endpoints, code: str, verifier: str) -> dict[str, Any]:
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.upstream_redirect_url,
            "code_verifier": verifier,
        }
        client, secret = self._settings.upstream_client_id, self._settings.upstream_client_secret
        if endpoints.client_auth == "post":
            asked |= {"client_id": client, "client_secret": secret}
            answer = self._wire.ask("POST", endpoints.token, data=asked)
        else:
            # RFC 6749, 2.3.1: both are form-encoded before they become a user name and password.
            auth = (quote_plus(client), quote_plus(secret))
            answer = self._wire.ask("POST", endpoints.token, data=asked, auth=auth)
        if not answer.is_success:
            raise self._refused(answer)
        return self._wire.object_of(answer.content)

    def _refused(self, answer: Answer) -> Exception:
        """Tell a refused code from trouble with our own registration there."""
        error = self._wire.object_of(answer.content).get("error")
        if error == "invalid_grant":
            return FederatedCodeInvalid()
        return self._wire.failed(f"token: status {answer.status}")

    def _userinfo(self, endpoints: Endpoints, subject: str, access_token: object) -> dict[str, Any]:
        """Return further claims about the same subject; nothing where the upstream has none.

        They only ever add: without them the citizen signs in at the lower level.
        """
        is_usable = isinstance(access_token, str) and 0 < len(access_token) <= LONGEST_TOKEN
        if endpoints.userinfo is None or not is_usable or not str(access_token).isascii():
            return {}
        bearer = {"Authorization": f"Bearer {access_token}"}
        try:
            answer = self._wire.ask("GET", endpoints.userinfo, headers=bearer)
            said = self._wire.object_of(answer.content) if answer.is_success else {}
        except ProviderUnavailable:
            return {}
        # OpenID Connect Core 5.3.2: another subject's claims must not be used.
        return said if said.get("sub") == subject else {}

    def _endpoints(self) -> Endpoints:
        """Return the configured addresses, or those of the upstream's own document."""
        given = self._settings
        if given.upstream_authorize_url:
            return Endpoints(
                authorize=given.upstream_authorize_url,
                token=given.upstream_token_url,
                jwks=given.upstream_jwks_url,
                userinfo=given.upstream_userinfo_url or None,
                client_auth=given.upstream_client_auth or "basic",
            )
        if self._found is None or self._monotonic() - self._found[0] > KEEP_S:
            self._found = (self._monotonic(), self._discovered())
        return self._found[1]

    def _discovered(self) -> Endpoints:
        issuer = self._settings.upstream_issuer
        answer = self._wire.ask("GET", issuer.rstrip("/") + DISCOVERY)
        said = self._wire.object_of(answer.content) if answer.is_success else {}
        if said.get("issuer") != issuer:
            raise self._wire.failed("discovery")
        methods = said.get("token_endpoint_auth_methods_supported")
        is_post = isinstance(methods, list) and "client_secret_basic" not in methods
        return Endpoints(
            authorize=self._address(said, "authorization_endpoint"),
            token=self._address(said, "token_endpoint"),
            jwks=self._address(said, "jwks_uri"),
            userinfo=self._address(said, "userinfo_endpoint")
            if "userinfo_endpoint" in said
            else None,
            client_auth=self._settings.upstream_client_auth or ("post" if is_post else "basic"),
        )

    def _address(self, said: dict[str, Any], name: str) -> str:
        """Return an address of the document; it must be as safe as the issuer's own."""
        url = said.get(name)
        scheme = urlsplit(self._settings.upstream_issuer).scheme
        if not isinstance(url, str) or not url.startswith(f"{scheme}://"):
            raise self._wire.failed(f"discovery: {name}")
        return url


def title_of(name: str) -> Text:
    """Return the name shown, ``中文 / English`` or one for both."""
    zh, _, en = name.partition(" / ")
    return Text(zh, en or zh) if zh else TITLES["oidc"]
