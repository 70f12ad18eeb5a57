"""Who is asking: one statement per request, so that a revocation acts at once."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.engine import Connection

from citizen_cloud.accounts import tokens
from citizen_cloud.accounts.refusals import AccountSuspended
from citizen_cloud.accounts.rules.lifetimes import IDLE_STEP, LIFETIMES
from citizen_cloud.db import first_row
from citizen_cloud.errors import Unauthenticated
from citizen_cloud.web.caller import Caller, Identity

# A worker whose clock is a little ahead may have signed in the database's near future.
SKEW_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Caller):
    """A caller with what ``GET /me`` shows, read by the statement that authenticated."""

    phone_sealed: bytes | None
    display_name_sealed: bytes | None


# Driver-level SQL: this runs before every signed-in request, and compiling costs as much as it.
_READ = """
WITH clock AS (SELECT coalesce(%(now)s::timestamptz, statement_timestamp()) AS t)
SELECT a.kind, a.status, a.language, a.phone_sealed, a.display_name_sealed, s.device_id,
       a.person_id IS NOT NULL, p.level, p.id, p.person_key, p.document_type, p.document_sealed,
       p.name_sealed, s.idle_expires_at, t - s.proved_at, t - d.proven_at, t
  FROM clock
  JOIN accounts.sign_in s ON s.id = %(sign_in_id)s
  JOIN accounts.account a ON a.id = s.account_id
  JOIN accounts.device d ON d.id = s.device_id
  LEFT JOIN accounts.person p ON p.id = a.person_id AND d.proven_at IS NOT NULL
 WHERE s.account_id = %(account_id)s
   AND s.revoked_at IS NULL AND d.removed_at IS NULL AND a.status <> 'closed'
   AND s.expires_at > t AND (s.idle_expires_at IS NULL OR s.idle_expires_at > t)
   AND to_timestamp(%(exp)s) > t AND to_timestamp(%(iat)s) <= t + make_interval(secs => %(skew)s)
"""
_TOUCH = """
UPDATE accounts.sign_in SET idle_expires_at = %(until)s
 WHERE id = %(sign_in_id)s AND revoked_at IS NULL AND idle_expires_at < %(until)s
"""


def authenticate(connection: Connection, token: str, *, now: datetime | None = None) -> SignedIn:
    """Return who holds this access token, as the database knows them at this moment.

    One statement; staff who were idle for a minute cost a second one. The document's level counts
    only on a device where the document was shown. Raises ``Unauthenticated``, or
    ``AccountSuspended``.
    """
    claims = tokens.read(token)
    asked = {
        "now": now,
        "sign_in_id": claims.sign_in_id,
        "account_id": claims.account_id,
        "exp": claims.expires_at,
        "iat": claims.issued_at,
        "skew": SKEW_S,
    }
    row = first_row(connection, _READ, asked)
    if row is None:
        raise Unauthenticated
    (kind, status, language, phone, display_name, device_id, has_person, level, *rest) = row
    *person, idle_expires_at, proved_ago, document_ago, t = rest
    if status == "suspended":
        raise AccountSuspended
    if idle_expires_at is not None:
        _touch(connection, claims.sign_in_id, kind, idle_expires_at, t)
    return SignedIn(
        account_id=claims.account_id,
        sign_in_id=claims.sign_in_id,
        device_id=device_id,
        kind=kind,
        level=level or 1,
        proved_ago=proved_ago,
        document_ago=document_ago,
        identity=_identity(*person),
        language=language,
        phone_sealed=phone,
        display_name_sealed=display_name,
        has_person=has_person,
    )


def _identity(
    person_id: UUID | None,
    person_key: bytes,
    document_type: str,
    document_sealed: bytes,
    name_sealed: bytes,
) -> Identity | None:
    if person_id is None:
        return None
    return Identity(
        person_id=person_id,
        person_key=person_key,
        document_type=document_type,
        document_sealed=document_sealed,
        name_sealed=name_sealed,
    )


def _touch(
    connection: Connection, sign_in_id: UUID, kind: str, idle_expires_at: datetime, t: datetime
) -> None:
    """Move the end of idleness on, at most once a minute."""
    idle = LIFETIMES[kind].idle
    if idle is None or t + idle - idle_expires_at < IDLE_STEP:
        return
    connection.exec_driver_sql(_TOUCH, {"sign_in_id": sign_in_id, "until": t + idle})
