"""Sign staff and admins in: password, then a second factor that is enrolled the first time.

Every refusal of a password is the same, and so is its cost, in the hasher and in the database:
unknown name, wrong password, paused account. What a failure counts must outlive the refusal, so
``sign_in`` returns it. A registered device has a count of its own: strangers who guess at a name
pause strangers only.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.identity import totp_place
from citizen_cloud.accounts.refusals import (
    AccountSuspended,
    CredentialsInvalid,
    PasswordChangeRequired,
    PasswordTooWeak,
    TotpEnrolmentRequired,
    TotpRequired,
)
from citizen_cloud.accounts.rules import totp as rules
from citizen_cloud.accounts.rules.passwords import may_be_password
from citizen_cloud.accounts.services import (
    attempts,
    devices,
    networks,
    passwords,
    recovery_codes,
    sign_ins,
)
from citizen_cloud.accounts.services.attempts import Row
from citizen_cloud.accounts.services.devices import DeviceProof
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.errors import Refusal

AMR = "pwd otp"
NOBODY = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A password that was compared; ``stored`` is what it was compared with."""

    account_id: UUID = NOBODY
    stored: str | None = None
    is_right: bool = False


@dataclass(frozen=True, kw_only=True)
class NewPassword:
    """A password to use from now on; ``hash`` is None where it may be no password."""

    hash: str | None


_FIND = text(
    """
    SELECT id, password_hash FROM accounts.account
     WHERE username = :username AND kind IN ('staff', 'admin') AND status <> 'closed'
    """
)


def find(connection: Connection, *, username: str) -> Checked:
    """Return the account of a user name, its password not yet compared."""
    row = connection.execute(_FIND, {"username": username.lower()}).first()
    return Checked(account_id=row.id, stored=row.password_hash) if row else Checked()


def compared(found: Checked, password: str) -> Checked:
    """Compare the password, as slowly for nobody as for somebody; hold no connection meanwhile."""
    is_right = hashing.current().matches(found.stored, password)
    return Checked(account_id=found.account_id, stored=found.stored, is_right=is_right)


def replacement(password: str, *, username: str, old: str) -> NewPassword:
    """Judge and hash a new password, as slowly for any; hold no connection meanwhile."""
    is_good = password != old and may_be_password(password, username=username)
    hashed = hashing.current().hash(password)
    return NewPassword(hash=hashed if is_good else None)


_PASS = text(
    """
    UPDATE accounts.account
       SET totp_step = :step, totp_confirmed_at = coalesce(totp_confirmed_at, :t)
     WHERE id = :id
    """
)
_ENROL = text("UPDATE accounts.account SET totp_sealed = :sealed WHERE id = :id")


def sign_in(
    session: Session,
    *,
    checked: Checked,
    code: str | None,
    recovery_code: str | None = None,
    new: NewPassword | None = None,
    device: DeviceProof | None = None,
    device_name: str | None = None,
    now: datetime | None = None,
) -> Issued | Refusal:
    """Sign in with a compared password and a code; raise a returned refusal after the commit.

    A one-time password is replaced by the sign-in that it opens, or opens none.
    """
    row = attempts.locked(session, checked.account_id, device, now)
    if row is None or row["is_locked"]:
        networks.count_nobody(session, now=now)
        return CredentialsInvalid()
    if not _is_good(checked, row):
        return attempts.failed(session, row)
    refusal = _replacement_due(row, new) or _second_factor(session, row, code, recovery_code)
    if refusal is not None:
        return refusal
    if row["status"] == "suspended":
        return AccountSuspended()
    if new is not None and new.hash is not None:
        passwords.replace_password(session, account_id=row["id"], kind=row["kind"], new=new.hash)
    known = devices.recognise_or_add(
        session, account_id=row["id"], proof=device, name=device_name, now=now
    )
    return sign_ins.open_sign_in(
        session, account_id=row["id"], kind=row["kind"], device=known, amr=AMR, now=now
    )


def judged(session: Session, row: Row, checked: Checked, code: str | None) -> Refusal | None:
    """Judge a compared password and a code; failures are counted on the locked row."""
    if not _is_good(checked, row):
        return attempts.failed(session, row)
    return _second_factor(session, row, code)


def _is_good(checked: Checked, row: Row) -> bool:
    """Return whether the password opens the account at this moment.

    Compared outside this transaction: a password changed meanwhile does not count.
    """
    is_over = row["password_until"] is not None and row["password_until"] <= row["t"]
    return checked.is_right and row["password_hash"] == checked.stored and not is_over


def _replacement_due(row: Row, new: NewPassword | None) -> Refusal | None:
    if new is None:
        return PasswordChangeRequired() if row["password_until"] is not None else None
    if new.hash is None:
        return PasswordTooWeak(errors=[{"pointer": "/new_password", "code": "invalid"}])
    return None


def _second_factor(
    session: Session, row: Row, code: str | None, recovery_code: str | None = None
) -> Refusal | None:
    """Take a code that was not used before; the account's row is locked, so once means once."""
    if recovery_code is not None:
        return _recovered(session, row, recovery_code)
    secret = _secret(session, row)
    if code is None:
        if row["totp_confirmed_at"] is not None:
            return TotpRequired()
        uri = rules.enrolment_uri(secret, row["username"])
        return TotpEnrolmentRequired(secret=secret, otpauth_uri=uri)
    step = rules.step_of(secret, code, row["t"])
    if step is None or step <= (row["totp_step"] or 0):
        return attempts.failed(session, row)
    session.execute(_PASS, {"id": row["id"], "step": step, "t": row["t"]})
    attempts.count(session, row, 0, None)
    return None


def _recovered(session: Session, row: Row, code: str) -> Refusal | None:
    """Take one of the codes that stand in for the authenticator."""
    if not recovery_codes.spend(
        session, account_id=row["id"], kind=row["kind"], code=code, at=row["t"]
    ):
        return attempts.failed(session, row)
    attempts.count(session, row, 0, None)
    return None


def _secret(session: Session, row: Row) -> str:
    """Return the account's secret, drawn once: a repeated enrolment shows the same one."""
    rings, place = crypto.current(), totp_place(row["id"])
    if row["totp_sealed"] is not None:
        return rings.open(row["totp_sealed"], place=place)
    secret = rules.new_secret()
    session.execute(_ENROL, {"id": row["id"], "sealed": rings.seal(secret, place=place)})
    return secret
