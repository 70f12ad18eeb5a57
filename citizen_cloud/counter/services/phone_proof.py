"""The new phone is proven by a code, as a sign-in's is: sent, tried, spent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts.services import otp, otp_tries
from citizen_cloud.accounts.services.otp import Challenge
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.errors import Refusal
from citizen_cloud.text import Language


def send_code(
    session: Session, *, phone: str, code: str, language: Language, now: datetime | None = None
) -> Challenge:
    """Send a code to the phone that shall be the account's. Raises as ``otp.request_code``."""
    return otp.request_code(session, phone=phone, code=code, language=language, now=now)


def try_code(
    connection: Connection, *, challenge_id: UUID, code: str, now: datetime | None = None
) -> ProvenPhone | Refusal:
    """Count one try and judge it; raise a returned refusal after it is stored."""
    return otp_tries.try_code(connection, challenge_id=challenge_id, code=code, now=now)


def spend(session: Session, *, proven: ProvenPhone, now: datetime | None = None) -> str:
    """Use the code up and return the phone. Raises ``OtpInvalid``."""
    otp_tries.spend(session, challenge_id=proven.challenge_id, now=now)
    return proven.phone
