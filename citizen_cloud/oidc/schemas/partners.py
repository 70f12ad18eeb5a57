"""What a citizen's app sends and gets about partners."""

from marshmallow import Schema

from citizen_cloud.web.fields import Both, Flag, Instant, Int, ListOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

CLIENT_NAME = {"zh": "海天医院公众号", "en": "Haitian Hospital"}
PURPOSE = {"zh": "登录并查看您的挂号", "en": "To sign you in and show your appointments"}
ORGANISATION = {"zh": "海天医院", "en": "Haitian Hospital"}
SCOPE_TITLE = {"zh": "您的手机号码", "en": "Your phone number"}


class PartnerScopeSchema(Outgoing):
    """One kind of data a partner asks for."""

    name = Str(max_length=64, required=True, metadata={"example": "phone"})
    title = Both(required=True, metadata={"example": SCOPE_TITLE})
    claims = ListOf(
        Str(max_length=64, metadata={"example": "phone_number"}), max_length=20, required=True
    )
    required_level = Int(minimum=1, maximum=3, required=True, metadata={"example": 1})
    is_available = Flag(
        required=True,
        metadata={"description": "False: the real-name step comes first", "example": True},
    )
    value = Str(
        max_length=200,
        required=True,
        allow_none=True,
        metadata={"description": "What would be shared, masked", "example": "138****8000"},
    )
    agreed_before = Flag(required=True, metadata={"example": False})


class AskingStepUpSchema(Outgoing):
    """What the present sign-in lacks."""

    required_level = Int(minimum=1, maximum=3, metadata={"example": 2})
    max_age_s = Int(minimum=0, maximum=999_999_999, metadata={"example": 300})


class AuthorizationRequestSchema(Outgoing):
    """What a partner asks for, for the consent screen."""

    id = Uuid(required=True)
    client_id = Uuid(required=True)
    name = Both(required=True, metadata={"example": CLIENT_NAME})
    purpose = Both(required=True, max_length=500, metadata={"example": PURPOSE})
    organisation_id = Uuid(required=True)
    organisation = Both(required=True, metadata={"example": ORGANISATION})
    scopes = ListOf(Part(PartnerScopeSchema), max_length=20, required=True)
    agreed_before = Flag(
        required=True,
        metadata={"description": "All of it was agreed to before", "example": False},
    )
    step_up = Part(
        AskingStepUpSchema,
        required=True,
        allow_none=True,
        metadata={"description": "What to prove before agreeing; null when nothing"},
    )
    expires_at = Instant(required=True)


class DecisionSchema(Incoming):
    """The citizen's answer."""

    granted = Flag(required=True, metadata={"example": True})
    scopes = ListOf(
        Str(max_length=64, metadata={"example": "openid"}),
        max_length=20,
        load_default=list,
        metadata={
            "description": "What is agreed to: openid, and any of the others asked for",
            "example": ["openid", "phone"],
        },
    )


class DecisionAnswerSchema(Outgoing):
    """Where the browser goes on."""

    redirect_to = Str(
        max_length=8000,
        required=True,
        metadata={
            "description": "Open it in the browser that asked; it works once, for a minute",
            "example": "https://hospital.example/callback?code=…&state=…&iss=…",
        },
    )


class PartnerSchema(Outgoing):
    """A partner that has the citizen's yes."""

    client_id = Uuid(required=True)
    name = Both(required=True, metadata={"example": CLIENT_NAME})
    purpose = Both(required=True, max_length=500, metadata={"example": PURPOSE})
    organisation_id = Uuid(required=True)
    organisation = Both(required=True, metadata={"example": ORGANISATION})
    scopes = ListOf(
        Str(max_length=64, metadata={"example": "openid"}), max_length=20, required=True
    )
    granted_at = Instant(required=True)
    changed_at = Instant(required=True)
    last_signed_in_at = Instant(required=True, allow_none=True)


PartnerPageSchema: type[Schema] = page_of(PartnerSchema)
