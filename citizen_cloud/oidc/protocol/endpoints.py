"""Revocation (RFC 7009), introspection (RFC 7662), and log-out at a partner's wish."""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint

from citizen_cloud.oidc.keys import TokenUnreadable
from citizen_cloud.oidc.protocol.client import ProtocolClient
from citizen_cloud.oidc.protocol.grants import PROVEN
from citizen_cloud.oidc.services import known_tokens
from citizen_cloud.oidc.services.known_tokens import Known


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """A client gives back a token: an access token alone, a refresh token with its family."""

    CLIENT_AUTH_METHODS = [*PROVEN, "none"]  # noqa: RUF012 - declared so by Authlib

    def authenticate_token(self, request: OAuth2Request, client: ProtocolClient) -> Known | None:
        """Return the client's own token; any other is as good as gone (RFC 7009 2.2)."""
        if "token" not in request.form:
            raise InvalidRequestError("Missing 'token'.")
        session, token = self.server.session, request.form["token"]
        return known_tokens.known(session, token=token, client_id=client.id)

    def revoke_token(self, token: Known, request: OAuth2Request) -> None:
        """End it."""
        known_tokens.revoke(self.server.session, token)


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """A confidential client asks about a token of its own; about others it learns nothing."""

    CLIENT_AUTH_METHODS = PROVEN

    def authenticate_token(self, request: OAuth2Request, client: ProtocolClient) -> Known | None:
        """Return the client's own token."""
        if "token" not in request.form:
            raise InvalidRequestError("Missing 'token'.")
        session, token = self.server.session, request.form["token"]
        return known_tokens.known(session, token=token, client_id=client.id)

    def create_introspection_payload(self, token: Known | None) -> dict[str, Any]:
        """Return what is known of it."""
        if token is None or not token.is_present:
            return {"active": False}
        told: dict[str, Any] = {
            "active": True,
            "client_id": str(token.client_id),
            "scope": " ".join(sorted(token.scopes)),
            "iss": self.server.issuer,
            "exp": int(token.expires_at.timestamp()),
            "iat": int(token.issued_at.timestamp()),
        }
        if token.kind != "refresh_token":
            told["token_type"] = "Bearer"  # noqa: S105 - RFC 6750's word
        return told | ({"sub": token.subject} if token.subject else {})


class EndSession(EndSessionEndpoint):  # type: ignore[misc]
    """A citizen signs out at a partner: what that sign-in gave is over.

    He stays signed in here, in the app, and at other partners.
    """

    def _validate_id_token_hint(self, id_token_hint: str) -> dict[str, Any]:
        """Return the claims of a token of ours, however old."""
        try:
            claims: dict[str, Any] = self.server.keys.read(id_token_hint)
        except TokenUnreadable as error:
            raise InvalidRequestError("'id_token_hint' was not signed here.") from error
        if claims.get("iss") != self.server.issuer:
            raise InvalidRequestError("'id_token_hint' was not signed here.")
        return claims

    def end_session(self, end_session_request: Any) -> None:
        """End the family of the ID token; without one there is nothing to end."""
        claims = end_session_request.id_token_claims
        if claims is not None and end_session_request.client is not None:
            known_tokens.log_out(
                self.server.session,
                sign_in=str(claims.get("sid", "")),
                client_id=end_session_request.client.id,
            )
