"""A registered client as Authlib's grants ask about it."""

from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin

from citizen_cloud import crypto
from citizen_cloud.oidc.queries.clients import Registered
from citizen_cloud.oidc.rules.addresses import is_registered
from citizen_cloud.oidc.rules.scopes import OPENID
from citizen_cloud.oidc.services.clients import CONFIDENTIAL, secret_hash

PARTNER_GRANTS = frozenset({"authorization_code", "refresh_token"})
SYSTEM_GRANTS = frozenset({"client_credentials"})


class ProtocolClient(ClientMixin):  # type: ignore[misc]
    """Answers Authlib's questions from the row."""

    def __init__(self, registered: Registered) -> None:
        self.registered = registered

    @property
    def id(self) -> UUID:
        """Return the client's id."""
        return self.registered.id

    @property
    def client_metadata(self) -> dict[str, list[str]]:
        """Return what a log-out compares with."""
        return {"post_logout_redirect_uris": list(self.registered.post_logout_redirect_uris)}

    def get_client_id(self) -> str:
        """Return the id as clients write it."""
        return str(self.registered.id)

    def get_default_redirect_uri(self) -> None:
        """Return nothing: every request names its address."""
        return

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return what of the scopes asked for this client may have; None without ``openid``.

        Unknown scopes are passed over (OpenID Connect Core 3.1.2.1).
        """
        asked = list(dict.fromkeys((scope or "").split()))
        allowed = [name for name in asked if name in self.registered.scopes]
        return " ".join(allowed) if OPENID in allowed else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Return whether the address was registered."""
        found = self.registered
        return is_registered(redirect_uri, found.redirect_uris, client_type=found.type)

    def check_client_secret(self, client_secret: str) -> bool:
        """Return whether this is a secret that still counts; all are compared."""
        sent = secret_hash(client_secret)
        return any([crypto.same(sent, held) for held in self.registered.secret_hashes])  # noqa: C419 - no early end, which would tell which

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Return whether the client proves itself like this; public ones cannot, others must."""
        is_confidential = self.registered.type in CONFIDENTIAL
        return method != "none" if is_confidential else method == "none"

    def check_response_type(self, response_type: str) -> bool:
        """Return whether the client may be given this: codes, and no tokens in addresses."""
        return response_type == "code" and self.registered.type != "service"

    def check_grant_type(self, grant_type: str) -> bool:
        """Return whether the client may use a grant."""
        is_system = self.registered.type == "service"
        return grant_type in (SYSTEM_GRANTS if is_system else PARTNER_GRANTS)
