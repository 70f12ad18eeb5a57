"""The provider for one request: Authlib's server in one transaction."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import AuthorizationServer
from sqlalchemy.orm import Session

from citizen_cloud.oidc.keys import ProviderKeys, TokenUnreadable
from citizen_cloud.oidc.protocol.client import ProtocolClient
from citizen_cloud.oidc.protocol.endpoints import EndSession, Introspection, Revocation
from citizen_cloud.oidc.protocol.grants import CodeGrant, Pkce, RefreshGrant, SystemGrant
from citizen_cloud.oidc.protocol.incoming import Incoming
from citizen_cloud.oidc.queries.clients import registered
from citizen_cloud.oidc.services import known_tokens

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a door answers: status, a JSON object or nothing, header fields."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...]


class Provider(AuthorizationServer):  # type: ignore[misc]
    """Lives as long as one request; what a grant refuses after a revocation is committed too."""

    def __init__(self, session: Session, *, issuer: str, keys: ProviderKeys) -> None:
        super().__init__()
        self.session = session
        self.issuer = issuer
        self.keys = keys
        self._clients: dict[str, ProtocolClient | None] = {}
        self.register_grant(CodeGrant, [Pkce(required=True)])
        self.register_grant(RefreshGrant)
        self.register_grant(SystemGrant)
        for endpoint in (Revocation, Introspection, EndSession):
            self.register_endpoint(endpoint)

    def query_client(self, client_id: str) -> ProtocolClient | None:
        """Return a client that may act now."""
        if client_id not in self._clients:
            found = None
            if _UUID.fullmatch(client_id):
                found = registered(self.session, UUID(client_id))
            self._clients[client_id] = ProtocolClient(found) if found else None
        return self._clients[client_id]

    def create_oauth2_request(self, request: Incoming) -> Incoming:
        """Return the request: it was read before."""
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Return what the door makes a response of."""
        content = dict(body) if isinstance(body, list) else body
        return Answer(status=status, body=content, headers=tuple(headers))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Tell nobody: what is worth knowing is in the audit trail."""

    def agreed_by_hint(
        self, id_token_hint: str | None, client: ProtocolClient
    ) -> frozenset[str] | None:
        """Return what the citizen of an ID token shares with its client; None if unknown."""
        try:
            claims = self.keys.read(id_token_hint or "")
        except TokenUnreadable:
            return None
        if claims.get("aud") != client.get_client_id():
            return None
        sign_in = str(claims.get("sid", ""))
        return known_tokens.agreed(self.session, sign_in=sign_in, client_id=client.id)
