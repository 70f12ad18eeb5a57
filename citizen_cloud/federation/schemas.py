"""What signing in through others takes and gives."""

from citizen_cloud.accounts.schemas.sign_in import DeviceSchema
from citizen_cloud.web.fields import Both, Instant, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

PROVIDER = "[a-z]{1,16}"
TOKEN = "[A-Za-z0-9_-]{43}"  # noqa: S105 - the form of one
TOKEN_EXAMPLE = "Zk3v9xXq0m2bT7yR5sW8uJ1nL4pD6gH0cA2eF9iK3oQ"  # noqa: S105 - an example
TITLE = {"zh": "微信", "en": "WeChat"}


class FederatedProviderSchema(Outgoing):
    """A provider to sign in through."""

    provider = Str(max_length=16, required=True, metadata={"example": "wechat"})
    kind = OneOf(
        "mini_program",
        "redirect",
        required=True,
        metadata={
            "description": "`mini_program`: the host app gives the code. `redirect`: begin with "
            "`POST /auth/federated/start`",
            "example": "mini_program",
        },
    )
    title = Both(required=True, metadata={"example": TITLE})


class FederatedProvidersSchema(Outgoing):
    """The providers of this installation."""

    items = ListOf(Part(FederatedProviderSchema), max_length=16, required=True)


class FederatedStartSchema(Incoming):
    """The provider to go to."""

    provider = Str(required=True, max_length=16, pattern=PROVIDER, metadata={"example": "oidc"})


class FederatedStartedSchema(Outgoing):
    """Where to go, and what must come back."""

    authorize_url = Str(
        max_length=4000,
        metadata={
            "description": "Open it in the system's browser",
            "example": "https://id.example.gov.cn/authorize?client_id=city&state=…",
        },
    )
    state = Str(
        max_length=64,
        metadata={
            "description": "Keep it: an answer that brings another one was not asked for here",
            "example": TOKEN_EXAMPLE,
        },
    )
    expires_at = Instant()


class FederatedTokenSchema(Incoming):
    """A code that a provider gave."""

    provider = Str(required=True, max_length=16, pattern=PROVIDER, metadata={"example": "wechat"})
    code = Str(
        required=True,
        max_length=2048,
        pattern="[!-~]{1,2048}",
        metadata={"description": "As the provider gave it; works once", "example": "0a3Xyz9b"},
    )
    state = Str(
        min_length=43,
        max_length=43,
        pattern=TOKEN,
        metadata={
            "description": "For `redirect` providers: the state of the start",
            "no_example": True,
        },
    )
    device = Part(DeviceSchema)


class FederatedLinkSchema(Incoming):
    """The ticket of a ``link_required``."""

    link_ticket = Str(
        required=True,
        min_length=43,
        max_length=43,
        pattern=TOKEN,
        metadata={"description": "Works once, for ten minutes", "example": TOKEN_EXAMPLE},
    )


class FederatedIdentitySchema(Outgoing):
    """An identity that signs in to the own account."""

    id = Uuid()
    provider = Str(max_length=16, metadata={"example": "wechat"})
    title = Both(metadata={"example": TITLE})
    linked_at = Instant()
    last_used_at = Instant(allow_none=True)


FederatedIdentityPageSchema = page_of(FederatedIdentitySchema)
