"""The new phone is proven by a code of the counter's own: tried here, spent with the case.

A code says what it is for. One read out at a counter signs nobody in, and one that was sent for a
sign-in moves no account.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services import otp_tries
from citizen_cloud.accounts.services.otp import Purpose
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.errors import Refusal

PURPOSE: Final[Purpose] = "counter"


def try_code(
    connection: Connection, *, challenge_id: UUID, code: str, now: datetime | None = None
) -> ProvenPhone | Refusal:
    """Count one try and judge it; raise a returned refusal after it is stored."""
    return otp_tries.try_code(
        connection, challenge_id=challenge_id, code=code, purpose=PURPOSE, now=now
    )


def spend(session: Session, *, proven: ProvenPhone, now: datetime | None = None) -> str:
    """Use the code up and return the phone. Raises ``OtpInvalid``."""
    otp_tries.spend(session, challenge_id=proven.challenge_id, now=now)
    return proven.phone
