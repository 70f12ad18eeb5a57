"""What showing the factors again and changing the phone take."""

from typing import Any

from marshmallow import ValidationError, validates_schema

from citizen_cloud.web.fields import Str, Uuid
from citizen_cloud.web.schemas import Incoming

BY_CODE = frozenset({"challenge_id", "code"})
BY_PASSWORD = frozenset({"password", "totp"})


class NewPhoneSchema(Incoming):
    """The number to change to."""

    phone = Str(
        required=True,
        max_length=32,
        metadata={
            "description": "A mobile number; +86 where no country code is given",
            "example": "13900139000",
        },
    )


class SentCodeSchema(Incoming):
    """A code that was sent."""

    challenge_id = Uuid(required=True)
    code = Str(
        required=True,
        min_length=6,
        max_length=6,
        pattern="[0-9]{6}",
        metadata={"description": "The six digits", "example": "493027"},
    )


class StepUpSchema(Incoming):
    """Either a code that was sent, or a password and an authenticator's digits."""

    challenge_id = Uuid(metadata={"description": "Citizens: which code"})
    code = Str(
        min_length=6,
        max_length=6,
        pattern="[0-9]{6}",
        metadata={"description": "Citizens: the six digits", "example": "493027"},
    )
    password = Str(max_length=128, metadata={"description": "Staff", "no_example": True})
    totp = Str(
        min_length=6,
        max_length=6,
        pattern="[0-9]{6}",
        metadata={"description": "Staff: the authenticator's six digits", "no_example": True},
    )

    @validates_schema
    def check_one(self, sent: dict[str, Any], **_: Any) -> None:
        """Ask for one of the two, whole, and for nothing of the other."""
        wanted = BY_PASSWORD if BY_PASSWORD & sent.keys() else BY_CODE
        faults = {name: ["required"] for name in sorted(wanted - sent.keys())}
        faults |= {name: ["unknown_field"] for name in sorted(sent.keys() - wanted)}
        if faults:
            raise ValidationError(faults)
