"""Sign staff and admins in: password, then a second factor that is enrolled the first time.

Every refusal of a password is the same, and so is its cost, in the hasher and in the database:
unknown name, wrong password, paused account. What a failure counts must outlive the refusal, so
``sign_in`` returns it. A registered device has a count of its own: strangers who guess at a name
pause strangers only.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts import hashing
from citizen_cloud.accounts.identity import display_name_place, totp_place
from citizen_cloud.accounts.refusals import (
    AccountSuspended,
    CredentialsInvalid,
    TotpEnrolmentRequired,
    TotpRequired,
    UsernameTaken,
)
from citizen_cloud.accounts.rules import totp as rules
from citizen_cloud.accounts.rules.lifetimes import FREE_FAILURES, lock_after
from citizen_cloud.accounts.services import devices, networks, sign_ins
from citizen_cloud.accounts.services.devices import DeviceProof, Shown
from citizen_cloud.accounts.services.sign_ins import Issued
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import new_id
from citizen_cloud.errors import Refusal

Row = dict[str, Any]
AMR = "pwd otp"
ONE_TIME_BYTES = 15
NOBODY = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A password that was compared; ``stored`` is what it was compared with."""

    account_id: UUID = NOBODY
    stored: str | None = None
    is_right: bool = False


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


_LOCK = text(
    """
    SELECT id, kind, status, username, password_hash, totp_sealed, totp_confirmed_at, totp_step,
           failures, locked_until > t AS is_locked, t
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) clock,
           accounts.account
     WHERE id = :id FOR UPDATE OF account
    """
)
_KNOWN = text(
    """
    SELECT id AS device_id, failures, locked_until > :t AS is_locked FROM accounts.device
     WHERE id = :device_id AND account_id = :account_id AND removed_at IS NULL
       AND (:is_let_in OR secret_hash = :device_hash)
    """
)
# By whether a registered device proved itself.
_COUNT = {
    False: text(
        "UPDATE accounts.account SET failures = :failures, locked_until = :until WHERE id = :id"
    ),
    True: text(
        "UPDATE accounts.device SET failures = :failures, locked_until = :until "
        "WHERE id = :device_id"
    ),
}
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
    device: DeviceProof | None = None,
    device_name: str | None = None,
    now: datetime | None = None,
) -> Issued | Refusal:
    """Sign in with a compared password and a code; raise a returned refusal after the commit."""
    row = locked(session, checked.account_id, device, now)
    if row is None or row["is_locked"]:
        networks.count_nobody(session, now=now)
        return CredentialsInvalid()
    refusal = judged(session, row, checked, code)
    if refusal is not None:
        return refusal
    if row["status"] == "suspended":
        return AccountSuspended()
    known = devices.recognise_or_add(
        session, account_id=row["id"], proof=device, name=device_name, now=now
    )
    return sign_ins.open_sign_in(
        session, account_id=row["id"], kind=row["kind"], device=known, amr=AMR, now=now
    )


def locked(session: Session, account_id: UUID, device: Shown, now: datetime | None) -> Row | None:
    """Lock the account and return it with the failures that count for this device."""
    found = session.execute(_LOCK, {"id": account_id, "now": now}).mappings().first()
    if found is None:
        return None
    row: Row = {**found, "device_id": None}
    if device is not None:
        asked = {**devices.shown(device), "account_id": account_id, "t": row["t"]}
        row |= session.execute(_KNOWN, asked).mappings().first() or {}
    return row


def judged(session: Session, row: Row, checked: Checked, code: str | None) -> Refusal | None:
    """Judge a compared password and a code; failures are counted on the locked row."""
    # Compared outside this transaction: a password changed meanwhile does not count.
    if not checked.is_right or row["password_hash"] != checked.stored:
        return _failed(session, row)
    return _second_factor(session, row, code)


def _count(session: Session, row: Row, failures: int, until: datetime | None) -> None:
    counted = {"failures": failures, "until": until, "id": row["id"], "device_id": row["device_id"]}
    session.execute(_COUNT[row["device_id"] is not None], counted)


def _second_factor(session: Session, row: Row, code: str | None) -> Refusal | None:
    """Take a code that was not used before; the account's row is locked, so once means once."""
    secret = _secret(session, row)
    if code is None:
        if row["totp_confirmed_at"] is not None:
            return TotpRequired()
        uri = rules.enrolment_uri(secret, row["username"])
        return TotpEnrolmentRequired(secret=secret, otpauth_uri=uri)
    step = rules.step_of(secret, code, row["t"])
    if step is None or step <= (row["totp_step"] or 0):
        return _failed(session, row)
    session.execute(_PASS, {"id": row["id"], "step": step, "t": row["t"]})
    _count(session, row, 0, None)
    return None


def _secret(session: Session, row: Row) -> str:
    """Return the account's secret, drawn once: a repeated enrolment shows the same one."""
    rings, place = crypto.current(), totp_place(row["id"])
    if row["totp_sealed"] is not None:
        return rings.open(row["totp_sealed"], place=place)
    secret = rules.new_secret()
    session.execute(_ENROL, {"id": row["id"], "sealed": rings.seal(secret, place=place)})
    return secret


def _failed(session: Session, row: Row) -> Refusal:
    failures = min(row["failures"] + 1, 1000)
    lock = lock_after(failures)
    _count(session, row, failures, row["t"] + lock if lock else None)
    if failures == FREE_FAILURES:
        record(session, _act("sign_in_failing", "stranger", None, row["id"], row["kind"]))
    return CredentialsInvalid()


_CREATE = text(
    """
    INSERT INTO accounts.account
           (id, kind, username, display_name_sealed, password_hash, created_at)
    VALUES (:id, :kind, :username, :display_name, :password_hash,
            coalesce(:now, statement_timestamp()))
    ON CONFLICT (username) DO NOTHING RETURNING id
    """
)


def create_staff(
    session: Session,
    *,
    username: str,
    display_name: str,
    kind: Literal["staff", "admin"],
    now: datetime | None = None,
) -> tuple[UUID, str]:
    """Create an account that signs in by name; return its id and its one-time password.

    The password is shown to nobody again; the second factor is set up at the first sign-in.
    Raises ``UsernameTaken``.
    """
    one_time_password = secrets.token_urlsafe(ONE_TIME_BYTES)
    account_id = new_id()
    created = session.scalar(
        _CREATE,
        {
            "id": account_id,
            "kind": kind,
            "username": username.lower(),
            "display_name": crypto.current().seal(
                display_name, place=display_name_place(account_id)
            ),
            "password_hash": hashing.current().hash(one_time_password),
            "now": now,
        },
    )
    if created is None:
        raise UsernameTaken
    record(session, _act("staff_created", "system", None, account_id, kind))
    return account_id, one_time_password


def _act(verb: str, actor_kind: str, actor_id: UUID | None, account_id: UUID, kind: str) -> Act:
    return Act(
        actor_kind=actor_kind,
        actor_id=actor_id,
        action=f"accounts.{verb}",
        object_type="account",
        object_id=account_id,
        payload={"kind": kind},
    )
