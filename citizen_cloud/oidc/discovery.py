"""What the provider says of itself (OpenID Connect Discovery 1.0, RFC 8414)."""

from typing import Any

from citizen_cloud.oidc.keys import ALGORITHMS
from citizen_cloud.oidc.rules.scopes import LEVELS, SCOPES, acr_of

SECRETS = ["client_secret_basic", "client_secret_post"]


def metadata(issuer: str) -> dict[str, Any]:
    """Return the document of both well-known addresses."""
    doors = f"{issuer}/oauth2"
    told = {"iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "sid", "at_hash"}
    claims = {claim for scope in SCOPES.values() for claim in scope.claims}
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{doors}/authorize",
        "token_endpoint": f"{doors}/token",
        "userinfo_endpoint": f"{doors}/userinfo",
        "jwks_uri": f"{doors}/jwks.json",
        "revocation_endpoint": f"{doors}/revoke",
        "introspection_endpoint": f"{doors}/introspect",
        "end_session_endpoint": f"{doors}/logout",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "token_endpoint_auth_methods_supported": [*SECRETS, "none"],
        "revocation_endpoint_auth_methods_supported": [*SECRETS, "none"],
        "introspection_endpoint_auth_methods_supported": SECRETS,
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": [acr_of(level) for level in LEVELS],
        "claims_supported": sorted(claims | told),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["zh-CN", "en"],
        "service_documentation": f"{issuer}/docs",
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
    }
