"""What the back office sends and gets about clients."""

from typing import Any

from marshmallow import Schema

from citizen_cloud.oidc.keys import ALGORITHMS
from citizen_cloud.web.fields import Both, Instant, Int, ListOf, OneOf, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

TYPES = ("web", "native", "h5", "service")
STATUSES = ("active", "suspended")
NAME = {"zh": "海天医院公众号", "en": "Haitian Hospital"}
PURPOSE = {"zh": "登录并查看您的挂号", "en": "To sign you in and show your appointments"}
URIS = ["https://hospital.example/callback"]
AFTER = ["https://hospital.example/goodbye"]
SCOPES = ["openid", "phone"]


def addresses(*, example: list[str], **kwargs: Any) -> Any:
    """Return a list of addresses."""
    address = Str(max_length=500, metadata={"example": example[0]})
    return ListOf(address, max_length=20, metadata={"example": example}, **kwargs)


def scopes(**kwargs: Any) -> Any:
    """Return a list of scopes."""
    scope = Str(max_length=64, pattern="[a-z_.]{1,64}", metadata={"example": "openid"})
    words = "Of citizens: openid, phone, … of systems: permissions"
    metadata = {"description": words, "example": SCOPES}
    return ListOf(scope, max_length=30, min_length=1, metadata=metadata, **kwargs)


class OidcClientSchema(Outgoing):
    """A registered client."""

    client_id = Uuid(required=True)
    type = OneOf(*TYPES, required=True)
    name = Both(required=True, metadata={"example": NAME})
    purpose = Both(required=True, max_length=500, metadata={"example": PURPOSE})
    organisation_id = Uuid(required=True)
    sector = Str(max_length=253, required=True, metadata={"example": "hospital.example"})
    redirect_uris = addresses(example=URIS, required=True)
    post_logout_redirect_uris = addresses(example=AFTER, required=True)
    scopes = scopes(required=True)
    id_token_alg = OneOf(*ALGORITHMS, required=True)
    status = OneOf(*STATUSES, required=True)
    version = Int(minimum=1, required=True)
    created_at = Instant(required=True)


class OidcClientSecretSchema(OidcClientSchema):
    """A client with its new secret, which is shown this once."""

    client_secret = Str(
        max_length=64,
        required=True,
        allow_none=True,
        metadata={
            "description": "null for native and h5 clients, which have none",
            "example": "3q2-7wQ0vS1kJx5p9aYbN8cLr4dTzGmHfUeWoIiVvXA",
        },
    )


class OidcClientChangeSchema(Incoming):
    """What may change; what is left out stays."""

    name = Both(metadata={"example": NAME})
    purpose = Both(max_length=500, metadata={"example": PURPOSE})
    redirect_uris = addresses(example=URIS)
    post_logout_redirect_uris = addresses(example=AFTER)
    scopes = scopes()
    id_token_alg = OneOf(*ALGORITHMS, metadata={"example": "RS256"})
    status = OneOf(*STATUSES, metadata={"example": "active"})


class NewOidcClientSchema(Incoming):
    """A client to register."""

    type = OneOf(*TYPES, required=True, metadata={"example": "web"})
    name = Both(required=True, metadata={"example": NAME})
    purpose = Both(required=True, max_length=500, metadata={"example": PURPOSE})
    organisation_id = Uuid(required=True)
    sector = Str(
        max_length=253,
        metadata={
            "description": "An organisation's clients of one sector know a citizen by one id; "
            "the host of the addresses where left out",
            "example": "hospital.example",
        },
    )
    redirect_uris = addresses(example=URIS, load_default=list)
    post_logout_redirect_uris = addresses(example=AFTER, load_default=list)
    scopes = scopes(required=True)
    id_token_alg = OneOf(*ALGORITHMS, load_default="RS256", metadata={"example": "RS256"})


OidcClientPageSchema: type[Schema] = page_of(OidcClientSchema)
