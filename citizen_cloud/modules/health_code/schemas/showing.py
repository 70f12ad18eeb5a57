"""What a phone sends and gets: its registration, its codes, a shared one."""

from citizen_cloud.modules.health_code.rules.share_tokens import PREFIX
from citizen_cloud.web.fields import Flag, Instant, ListOf, OneOf, Part, Str, Uuid
from citizen_cloud.web.schemas import Incoming, Outgoing

COLOURS = ("green", "yellow", "red")
# Base64url without padding: a compressed point, a signature of two halves, 32 random bytes.
POINT = "[A-Za-z0-9_-]{44}"
SIGNATURE = "[A-Za-z0-9_-]{86}"
RANDOM = "[A-Za-z0-9_-]{43}"
A_POINT = "AmsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKW"
A_SIGNATURE = "K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Unols" * 2
MOST_DEVICES = 100


def _point(description: str) -> Str:
    return Str(
        required=True,
        min_length=44,
        max_length=44,
        pattern=POINT,
        metadata={"description": description, "example": A_POINT},
    )


def _signature(description: str) -> Str:
    return Str(
        required=True,
        min_length=86,
        max_length=86,
        pattern=SIGNATURE,
        metadata={"description": description, "example": A_SIGNATURE},
    )


class HealthChallengeSchema(Outgoing):
    """What the phone signs to be registered."""

    challenge_id = Uuid()
    challenge = Str(
        max_length=43,
        metadata={
            "description": "32 random bytes, base64url",
            "pattern": f"^{RANDOM}$",
            "example": "K7gNU3sdo-OL0wNhqoVWhr3g6s1xYv72ol_pe_Unols",
        },
    )
    expires_at = Instant()


class NewHealthDeviceSchema(Incoming):
    """A phone's key, and the proof that the phone holds it."""

    public_key = _point("The P-256 key as a compressed point of 33 bytes, base64url")
    challenge_id = Uuid(required=True)
    proof = _signature(
        "ECDSA P-256 with SHA-256 (r and s, 64 bytes, base64url) by this key over "
        "`citizen-cloud device 1`, a zero byte, the 32 bytes of the challenge, the 33 of the key"
    )


class HealthDeviceSchema(Outgoing):
    """A registered phone."""

    device_id = Uuid(metadata={"description": "As in `GET /me/devices`"})
    registered_at = Instant()
    is_this_device = Flag()


class HealthDevicesSchema(Outgoing):
    """The phones of an account; there are few, so the list has no pages."""

    items = ListOf(Part(HealthDeviceSchema), max_length=MOST_DEVICES)


class NewHealthCredentialSchema(Incoming):
    """A key for this code alone, and this phone's word for it."""

    show_key = _point("A fresh P-256 key, never used before; compressed, base64url")
    proof = _signature(
        "By the registered key over `citizen-cloud key 1`, a zero byte, and the SHA-256 of the "
        "33 bytes of the show key"
    )


class HealthCredentialSchema(Outgoing):
    """A code for a day: the phone shows it without asking anybody."""

    credential = Str(
        max_length=1_000,
        metadata={
            "description": "A compact JWS (RFC 7515)",
            "example": "eyJhbGciOiJFZERTQSJ9.e30.x",
        },
    )
    expires_at = Instant()
    server_time = Instant(metadata={"description": "Keep the offset by a monotonic clock"})
    colour = OneOf(*COLOURS, metadata={"example": "green"})
    next_change_at = Instant(
        allow_none=True, metadata={"description": "When the colour turns by itself"}
    )


class HealthThinCodeSchema(Outgoing):
    """A code for a minute."""

    code = Str(max_length=1_000, metadata={"example": "CC1:6BF…"})
    expires_at = Instant()
    server_time = Instant()
    colour = OneOf(*COLOURS, metadata={"example": "green"})


class HealthShareSchema(Outgoing):
    """A word that stands for the code, once."""

    id = Uuid()
    token = Str(
        max_length=30,
        metadata={
            "description": "Shown this once; what the inspector sends as `code`",
            "example": f"{PREFIX}ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        },
    )
    expires_at = Instant()


class HealthShareStateSchema(Outgoing):
    """What became of a share."""

    id = Uuid()
    status = OneOf("open", "used", "revoked", "expired", metadata={"example": "used"})
    expires_at = Instant()
    used_at = Instant(allow_none=True)
