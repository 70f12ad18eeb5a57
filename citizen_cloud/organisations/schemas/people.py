"""What is sent and got about staff, invitations and accounts."""

from marshmallow import Schema

from citizen_cloud.web.fields import Flag, Instant, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing, page_of

CODE_EXAMPLE = "q3Jf0aXc7Tn5uW9zB1eK6mP2sV8yD4gH"
# Words, not prose: what goes into the audit trail names nobody.
REASONS = ("left", "misuse", "stolen", "legal", "request", "mistake", "settled")


class StaffSchema(Outgoing):
    """An account with its role at one organisation."""

    membership_id = Uuid(required=True)
    account_id = Uuid(required=True)
    username = Str(max_length=64, required=True, metadata={"example": "wang.xiaomei"})
    display_name = Str(max_length=64, required=True, metadata={"example": "王小美"})
    role = OneOf("staff", "manager", required=True)
    status = OneOf("active", "suspended", "closed", required=True)
    created_at = Instant(required=True)


class NewInvitationSchema(Incoming):
    """A role to offer."""

    role = OneOf("staff", "manager", required=True, metadata={"example": "staff"})
    display_name = Str(
        max_length=64,
        metadata={"description": "Shown to colleagues; the user name if left out"},
    )
    note = Str(
        max_length=200,
        metadata={"description": "For your own list only", "example": "接替王小美，早班"},
    )


class InvitationCodeSchema(Outgoing):
    """An invitation and its code, shown this once."""

    id = Uuid(required=True)
    role = OneOf("staff", "manager", required=True)
    code = Str(max_length=64, required=True, metadata={"example": CODE_EXAMPLE})
    expires_at = Instant(required=True)


class InvitationSchema(Outgoing):
    """An invitation, without its code."""

    id = Uuid(required=True)
    role = OneOf("staff", "manager", required=True)
    status = OneOf("open", "accepted", "revoked", "expired", required=True)
    display_name = Str(max_length=64, required=True, allow_none=True)
    note = Str(max_length=200, required=True, allow_none=True)
    invited_by = Uuid(required=True, allow_none=True)
    account_id = Uuid(
        required=True, allow_none=True, metadata={"description": "Who accepted it", "example": None}
    )
    created_at = Instant(required=True)
    expires_at = Instant(required=True)


class InvitationUseSchema(Incoming):
    """The code that was handed over."""

    code = Str(required=True, max_length=64, metadata={"example": CODE_EXAMPLE})


class InvitationAcceptanceSchema(InvitationUseSchema):
    """The code, and what the new account signs in with."""

    username = Str(
        max_length=64,
        min_length=3,
        pattern="[a-z][a-z0-9._-]{2,63}",
        required=True,
        metadata={"example": "wang.xiaomei"},
    )
    password = Str(
        required=True,
        max_length=128,
        metadata={
            "description": "8 to 128 characters, not common; no other rule",
            "example": "四月的风 吹过海边 42",
        },
    )


class JoinedSchema(Outgoing):
    """The role that was taken."""

    account_id = Uuid(required=True)
    membership_id = Uuid(required=True)
    organisation_id = Uuid(required=True)
    role = OneOf("staff", "manager", required=True)


class WelcomeSchema(JoinedSchema):
    """The account that was opened with the role, and what to do next."""

    username = Str(max_length=64, required=True, metadata={"example": "wang.xiaomei"})
    next = OneOf(
        "sign_in",
        required=True,
        metadata={"description": "The first sign-in sets the authenticator up"},
    )


class ResetSchema(Outgoing):
    """A reset: its code, shown this once, or that a second person must agree first."""

    id = Uuid(required=True)
    account_id = Uuid(required=True)
    code = Str(
        max_length=64,
        required=True,
        allow_none=True,
        metadata={
            "description": "null while a second person has to agree",
            "example": CODE_EXAMPLE,
        },
    )
    needs_second = Flag(required=True, metadata={"example": False})
    expires_at = Instant(required=True)


class OpenResetSchema(Outgoing):
    """A reset that was not used yet."""

    id = Uuid(required=True)
    needs_second = Flag(required=True, metadata={"description": "It waits for a second person"})
    created_at = Instant(required=True)
    expires_at = Instant(required=True)


class HeldRoleSchema(Outgoing):
    """A role and where it counts; everywhere if nowhere in particular."""

    membership_id = Uuid(required=True)
    role = OneOf("staff", "manager", "admin", "auditor", required=True)
    organisation_id = Uuid(required=True, allow_none=True)


class AccountSchema(Outgoing):
    """What those who look after accounts see of one: nothing about the person."""

    id = Uuid(required=True)
    kind = OneOf("citizen", "staff", "admin", "service", required=True)
    status = OneOf("active", "suspended", required=True)
    roles = ListOf(Part(HeldRoleSchema), max_length=100, required=True)
    reset = Part(OpenResetSchema, required=True, allow_none=True)
    created_at = Instant(required=True)


class StatusSchema(Incoming):
    """Whether an account may be used, and why that changes."""

    status = OneOf("active", "suspended", required=True, metadata={"example": "suspended"})
    reason = OneOf(
        *REASONS,
        required=True,
        metadata={"description": "Kept in the audit trail", "example": "left"},
    )


StaffPageSchema: type[Schema] = page_of(StaffSchema)
InvitationPageSchema: type[Schema] = page_of(InvitationSchema)
