"""Time-based one-time passwords (RFC 6238): which step a code belongs to."""

import hmac
from datetime import datetime

import pyotp

STEP_S = 30
ISSUER = "Citizen Cloud"


def new_secret() -> str:
    """Draw a secret of 160 bits, in base32."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the step whose code this is: the present one or a neighbour; None for neither."""
    generator = pyotp.TOTP(secret)
    present = int(now.timestamp()) // STEP_S
    steps = (present - 1, present, present + 1)
    return next(
        (step for step in steps if hmac.compare_digest(generator.generate_otp(step), code)), None
    )


def enrolment_uri(secret: str, username: str) -> str:
    """Return the ``otpauth`` address an authenticator app reads."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)
