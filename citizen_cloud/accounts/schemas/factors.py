"""What staff send and get about their own factors, and with a reset code."""

from citizen_cloud.web.fields import Flag, Instant, Int, ListOf, OneOf, Str
from citizen_cloud.web.schemas import Incoming, Outgoing

RECOVERY_EXAMPLES = [f"MZXW-6YTB-OI7S-A5DF-NQ2G-4K3{last}" for last in "ABCDEFGHIJ"]
TOTP_EXAMPLE = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


class FactorsSchema(Outgoing):
    """How the factors of an account stand."""

    totp = Flag(metadata={"description": "An authenticator is set up", "example": True})
    recovery_codes_left = Int(minimum=0, maximum=10, metadata={"example": 10})
    password_changed_at = Instant(
        allow_none=True, metadata={"description": "null: before this was written down"}
    )


class RecoveryCodesSchema(Outgoing):
    """Ten codes, shown this once."""

    codes = ListOf(
        Str(max_length=32), min_length=10, max_length=10, metadata={"example": RECOVERY_EXAMPLES}
    )


class NewTotpSchema(Outgoing):
    """An authenticator to set up."""

    secret = Str(max_length=64, metadata={"example": TOTP_EXAMPLE})
    otpauth_uri = Str(
        max_length=300,
        metadata={"example": f"otpauth://totp/Citizen%20Cloud:clerk-7?secret={TOTP_EXAMPLE}"},
    )
    expires_at = Instant(metadata={"description": "Until when it can be confirmed"})


class TotpConfirmationSchema(Incoming):
    """A code of the new authenticator."""

    totp = Str(
        required=True,
        min_length=6,
        max_length=6,
        pattern="[0-9]{6}",
        metadata={"example": "246810"},
    )


class ResetUseSchema(Incoming):
    """The code that was handed over, and the password to use from now on."""

    code = Str(
        required=True,
        max_length=64,
        metadata={"example": "q3Jf0aXc7Tn5uW9zB1eK6mP2sV8yD4gH"},
    )
    password = Str(
        required=True,
        max_length=128,
        metadata={
            "description": "8 to 128 characters, not common; no other rule",
            "example": "四月的风 吹过海边 42",
        },
    )


class AccountReadySchema(Outgoing):
    """The account whose password was set, and what to do next."""

    username = Str(max_length=64, metadata={"example": "wang.xiaomei"})
    next = OneOf(
        "sign_in",
        metadata={"description": "The first sign-in sets the authenticator up"},
    )
