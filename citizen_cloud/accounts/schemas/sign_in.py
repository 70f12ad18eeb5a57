"""What signing in takes and gives."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from citizen_cloud.web.fields import Flag, Instant, Int, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing

# Left out of the generated example: the three grants do not mix.
NOT_SHOWN = {"no_example": True}
SECRET_EXAMPLE = "pN1u0eYq4v8cJ2r5sT7wX9zA3bD6fG8hK0mL2nP4qR"  # noqa: S105 - an example
REFRESH_EXAMPLE = "AZNtXnwaez6fEC9vCjyNEQAAAAEx" + "k" * 42
GRANTS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "otp": (
        frozenset({"challenge_id", "code"}),
        frozenset({"device", "account_id", "new_account"}),
    ),
    "refresh_token": (frozenset({"refresh_token"}), frozenset({"device"})),
    "password": (
        frozenset({"username", "password"}),
        frozenset({"totp", "recovery_code", "new_password", "device"}),
    ),
}


class DeviceProofSchema(Incoming):
    """A registered device: both values as they were given when it was registered."""

    id = Uuid(required=True)
    secret = Str(required=True, max_length=64, metadata={"example": SECRET_EXAMPLE})


class DeviceSchema(Incoming):
    """The device: ``name`` for a new one, ``id`` and ``secret`` for a registered one."""

    name = Str(
        max_length=64,
        metadata={"description": "How its owner will recognise it", "example": "小明的手机"},
    )
    id = Uuid(metadata={"description": "A registered device's id", **NOT_SHOWN})
    secret = Str(
        max_length=64,
        metadata={"description": "What it was given when it was registered", **NOT_SHOWN},
    )

    @validates_schema
    def check_whole(self, sent: dict[str, Any], **_: Any) -> None:
        """Refuse half a proof."""
        for one, other in (("id", "secret"), ("secret", "id")):
            if one in sent and other not in sent:
                raise ValidationError({other: ["required"]})


class OtpRequestSchema(Incoming):
    """The phone a code is sent to."""

    phone = Str(
        required=True,
        max_length=32,
        metadata={
            "description": "A mobile number; +86 where no country code is given",
            "example": "13800138000",
        },
    )
    device = Part(
        DeviceProofSchema,
        metadata={
            "description": "A registered device of this phone has limits of its own, so that "
            "strangers cannot use them up",
            **NOT_SHOWN,
        },
    )


class ChallengeSchema(Outgoing):
    """A code on its way."""

    challenge_id = Uuid()
    expires_at = Instant()
    resend_at = Instant(metadata={"description": "From when another code may be asked for"})


class TokenRequestSchema(Incoming):
    """One of three grants; members of the others are refused."""

    grant_type = OneOf(
        *GRANTS,
        required=True,
        metadata={
            "description": "`otp`: challenge_id, code (device, account_id, new_account). "
            "`refresh_token`: refresh_token (device). `password`: username, password "
            "(totp or recovery_code, new_password, device).",
            "example": "otp",
        },
    )
    challenge_id = Uuid(metadata={"description": "otp: which code"})
    code = Str(
        min_length=6,
        max_length=6,
        pattern="[0-9]{6}",
        metadata={"description": "otp: the six digits", "example": "493027"},
    )
    account_id = Uuid(metadata={"description": "otp: after `account_choice_required`", **NOT_SHOWN})
    new_account = Flag(
        metadata={
            "description": "otp: open a second account on this phone, for a family member without "
            "one or because the number has a new holder",
            **NOT_SHOWN,
        }
    )
    device = Part(DeviceSchema)
    refresh_token = Str(
        max_length=200,
        metadata={"description": "refresh_token: the last one given", **NOT_SHOWN},
    )
    username = Str(max_length=64, metadata={"description": "password: staff only", **NOT_SHOWN})
    password = Str(max_length=128, metadata={"description": "password: staff only", **NOT_SHOWN})
    totp = Str(
        min_length=6,
        max_length=6,
        pattern="[0-9]{6}",
        metadata={"description": "password: the authenticator's six digits", **NOT_SHOWN},
    )
    recovery_code = Str(
        max_length=64,
        metadata={"description": "password: one of ten, in place of `totp`", **NOT_SHOWN},
    )
    new_password = Str(
        max_length=128,
        metadata={
            "description": "password: replaces the one-time password, or any other; 8 to 128 "
            "characters, not common",
            **NOT_SHOWN,
        },
    )

    @validates_schema
    def check_grant(self, sent: dict[str, Any], **_: Any) -> None:
        """Ask for what the grant needs and refuse what belongs to another."""
        required, optional = GRANTS[sent["grant_type"]]
        faults = {name: ["required"] for name in sorted(required - sent.keys())}
        for name in sorted(sent.keys() - required - optional - {"grant_type"}):
            faults[name] = ["unknown_field"]
        if "totp" in sent and "recovery_code" in sent:
            faults["recovery_code"] = ["unknown_field"]
        if faults:
            raise ValidationError(faults)


class RegisteredSchema(Outgoing):
    """The device of the sign-in."""

    id = Uuid()
    secret = Str(
        max_length=64,
        metadata={
            "description": "Given once, when the device is registered: keep it in the key store",
            "example": SECRET_EXAMPLE,
        },
    )


class TokensSchema(Outgoing):
    """A sign-in's tokens."""

    access_token = Str(max_length=1000, metadata={"example": "eyJhbGciOiJFZERTQSIs…"})
    token_type = OneOf("Bearer", metadata={"example": "Bearer"})
    expires_in = Int(metadata={"description": "Seconds", "example": 600})
    refresh_token = Str(max_length=200, metadata={"example": REFRESH_EXAMPLE})
    device = Part(RegisteredSchema)


class JwkSchema(Outgoing):
    """A public key (RFC 8037)."""

    kty = OneOf("OKP", metadata={"example": "OKP"})
    crv = OneOf("Ed25519", metadata={"example": "Ed25519"})
    x = Str(max_length=64, metadata={"example": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    kid = Str(max_length=32, metadata={"example": "k1"})
    alg = OneOf("EdDSA", metadata={"example": "EdDSA"})
    use = OneOf("sig", metadata={"example": "sig"})


class JwksSchema(Outgoing):
    """The keys access tokens are signed with (RFC 7517)."""

    keys = ListOf(Part(JwkSchema), max_length=16)
