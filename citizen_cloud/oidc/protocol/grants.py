"""The three grants: code with PKCE, refresh token, and a system's own credentials."""

from typing import Any

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7636.challenge import compare_s256_code_challenge
from authlib.oidc.core.util import create_half_hash

from citizen_cloud.accounts import refresh_tokens
from citizen_cloud.accounts.refresh_tokens import RefreshToken
from citizen_cloud.oidc.protocol.client import ProtocolClient
from citizen_cloud.oidc.rules.lifetimes import ACCESS_TOKEN_S, ID_TOKEN_S
from citizen_cloud.oidc.rules.scopes import acr_of
from citizen_cloud.oidc.services import issuing
from citizen_cloud.oidc.services.issuing import Issuance
from citizen_cloud.oidc.services.subjects import subject

PROVEN = ["client_secret_basic", "client_secret_post"]
CHALLENGE_LENGTH = 43


class Held:
    """A locked family of tokens as the grants ask about it; it is also whom they speak of."""

    code_challenge_method = "S256"

    def __init__(self, issuance: Issuance, after: RefreshToken | None = None) -> None:
        self.issuance = issuance
        self.after = after

    @property
    def code_challenge(self) -> str:
        """Return what the code's verifier must hash to."""
        return self.issuance.code_challenge

    def get_redirect_uri(self) -> str:
        """Return where the code was sent."""
        return self.issuance.redirect_uri

    def get_scope(self) -> str:
        """Return what the citizen still agrees to."""
        return " ".join(sorted(self.issuance.scopes))

    def check_client(self, client: ProtocolClient) -> bool:
        """Return whether the family is this client's."""
        return self.issuance.client_id == client.id


class Pkce(CodeChallenge):  # type: ignore[misc]
    """RFC 7636 for every client, confidential ones too (RFC 9700 2.1.1), and S256 only."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - declared so by Authlib
    CODE_CHALLENGE_METHODS = {"S256": compare_s256_code_challenge}  # noqa: RUF012

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with one that is the verifier itself."""
        asked = grant.request.payload.data
        if asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("'code_challenge_method' must be S256.")
        if len(asked.get("code_challenge", "")) != CHALLENGE_LENGTH:
            raise InvalidRequestError("Missing or invalid 'code_challenge'.")
        super().validate_code_challenge(grant, redirect_uri)


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """A code for an ID token, an access token and a refresh token."""

    TOKEN_ENDPOINT_AUTH_METHODS = [*PROVEN, "none"]  # noqa: RUF012 - declared so by Authlib

    @staticmethod
    def validate_authorization_redirect_uri(request: OAuth2Request, client: ProtocolClient) -> str:
        """Return the address asked for. Raises ``InvalidRequestError``, which redirects nowhere."""
        asked: str | None = request.payload.redirect_uri
        if asked is None or not client.check_redirect_uri(asked):
            raise InvalidRequestError("'redirect_uri' is missing or not registered.")
        return asked

    def query_authorization_code(self, code: str, client: ProtocolClient) -> Held | None:
        """Return what a code stands for; one that comes again ends all that it gave."""
        found = issuing.by_code(self.server.session, code=code, client_id=client.id)
        return Held(found) if found else None

    def delete_authorization_code(self, authorization_code: Held) -> None:
        """Mark the code as used."""
        issuing.use_code(self.server.session, authorization_code.issuance)

    def authenticate_user(self, authorization_code: Held) -> Held:
        """Return whom the code speaks of; that he still is there was read with it."""
        return authorization_code

    def generate_token(self, user: Held, scope: str, **_: Any) -> dict[str, Any]:
        """Return the tokens, stored already."""
        first = refresh_tokens.first(user.issuance.id)
        token = family_tokens(self.server, user.issuance, first, scope)
        token["id_token"] = id_token(self, user.issuance, token["access_token"])
        return token

    def save_token(self, token: dict[str, Any]) -> None:
        """Do nothing: tokens are stored where they are drawn, by their hashes."""


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    """A refresh token for its successor and an access token."""

    TOKEN_ENDPOINT_AUTH_METHODS = [*PROVEN, "none"]  # noqa: RUF012 - declared so by Authlib

    def authenticate_refresh_token(self, refresh_token: str) -> Held | None:
        """Return the family, if the token is this client's and not used up."""
        found = issuing.by_refresh_token(
            self.server.session, token=refresh_token, client_id=self.request.client.id
        )
        return Held(*found) if found else None

    def authenticate_user(self, refresh_token: Held) -> Held:
        """Return whom the family speaks of."""
        return refresh_token

    def issue_token(self, user: Held, refresh_token: Held) -> dict[str, Any]:
        """Return the tokens, stored already; fewer scopes where fewer were asked for."""
        if user.after is None:
            raise RuntimeError("a refreshed family has a successor")
        scope = self.request.payload.scope or refresh_token.get_scope()
        return family_tokens(self.server, user.issuance, user.after, scope)

    def save_token(self, token: dict[str, Any]) -> None:
        """Do nothing: tokens are stored where they are drawn, by their hashes."""

    def revoke_old_credential(self, refresh_token: Held) -> None:
        """Do nothing: storing the successor's hash has done it."""


class SystemGrant(ClientCredentialsGrant):  # type: ignore[misc]
    """A system's secret for an access token of its own."""

    TOKEN_ENDPOINT_AUTH_METHODS = PROVEN

    def validate_requested_scope(self) -> None:
        """Refuse what the system was not registered for. Raises ``InvalidScopeError``."""
        asked = set((self.request.payload.scope or "").split())
        if not asked <= self.request.client.registered.scopes:
            raise InvalidScopeError

    def generate_token(self, scope: str | None, **_: Any) -> dict[str, Any]:
        """Return the token, stored already; all of the system's scopes unless fewer are asked."""
        client = self.request.client
        given = sorted(set((scope or "").split()) or client.registered.scopes)
        token = issuing.give_token(
            self.server.session, client_id=client.id, issuance_id=None, scopes=given
        )
        return _bearer(token, " ".join(given))

    def save_token(self, token: dict[str, Any]) -> None:
        """Do nothing: the token is stored where it is drawn, by its hash."""


def _bearer(token: str, scope: str) -> dict[str, Any]:
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": ACCESS_TOKEN_S,
        "scope": scope,
    }


def family_tokens(
    server: Any, issuance: Issuance, refresh: RefreshToken, scope: str
) -> dict[str, Any]:
    """Draw an access token of a family, and store the refresh token beside it."""
    issuing.keep_refresh_token(server.session, issuance, refresh)
    token = issuing.give_token(
        server.session,
        client_id=issuance.client_id,
        issuance_id=issuance.id,
        scopes=scope.split(),
    )
    return {**_bearer(token, scope), "refresh_token": refresh.written()}


def id_token(grant: Any, issuance: Issuance, access_token: str) -> str:
    """Return the signed statement of who signed in, how, and when (OpenID Connect Core 2).

    It tells nothing else of the citizen: claims come from userinfo, where each look is noted.
    """
    server, registered = grant.server, grant.request.client.registered
    alg = registered.id_token_alg
    issued_at = int(issuance.t.timestamp())
    claims = {
        "iss": server.issuer,
        "sub": subject(
            organisation_id=registered.organisation_id,
            sector=registered.sector,
            person_id=issuance.person_id,
            account_id=issuance.account_id,
        ),
        "aud": str(registered.id),
        "exp": issued_at + ID_TOKEN_S,
        "iat": issued_at,
        "auth_time": int(issuance.auth_time.timestamp()),
        "acr": acr_of(issuance.level),
        "amr": issuance.amr.split(),
        "sid": str(issuance.id),
        "at_hash": create_half_hash(access_token, alg).decode(),
        **({"nonce": issuance.nonce} if issuance.nonce else {}),
    }
    return str(server.keys.sign(claims, alg=alg))
