"""Show the factors again: what doors marked ``fresh`` ask for (RFC 9470).

Citizens by a code to their own phone; staff by password and authenticator. Failures count exactly
as they do when signing in, on the device that asks.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud.accounts.refusals import CredentialsInvalid
from citizen_cloud.accounts.services import attempts, otp_tries, sign_ins, staff
from citizen_cloud.accounts.services.otp_tries import ProvenPhone
from citizen_cloud.accounts.services.staff import Checked
from citizen_cloud.errors import Forbidden, Refusal
from citizen_cloud.web.caller import Caller

CODE_AMR = "sms"


def by_code(
    session: Session, *, known: Caller, proven: ProvenPhone, now: datetime | None = None
) -> None:
    """Spend a code sent to the own phone. Raises ``OtpInvalid`` when another try was first."""
    otp_tries.spend(session, challenge_id=proven.challenge_id, now=now)
    _note(session, known, CODE_AMR, now)


_FIND = text(
    """
    SELECT password_hash FROM accounts.account
     WHERE id = :id AND kind IN ('staff', 'admin') AND status = 'active'
    """
)


def find(connection: Connection, *, account_id: UUID) -> Checked:
    """Return the own account, its password not yet compared. Raises ``Forbidden`` for citizens."""
    row = connection.execute(_FIND, {"id": account_id}).first()
    if row is None:
        raise Forbidden
    return Checked(account_id=account_id, stored=row.password_hash)


def by_password(
    session: Session, *, known: Caller, checked: Checked, code: str, now: datetime | None = None
) -> Refusal | None:
    """Take a compared password and a code; raise a returned refusal after the commit."""
    row = attempts.locked(session, checked.account_id, known.device_id, now)
    if row is None or row["is_locked"]:
        return CredentialsInvalid()
    refusal = staff.judged(session, row, checked, code)
    if refusal is None:
        _note(session, known, staff.AMR, now)
    return refusal


def _note(session: Session, known: Caller, amr: str, now: datetime | None) -> None:
    sign_ins.note_proof(
        session,
        account_id=known.account_id,
        sign_in_id=known.sign_in_id,
        kind=known.kind,
        amr=amr,
        now=now,
    )
