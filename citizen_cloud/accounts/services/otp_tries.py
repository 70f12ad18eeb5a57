"""Try a one-time code: five tries, five minutes, one use.

What a refused try costs must outlive the refusal, so ``try_code`` *returns* its refusal and the
route raises it after the count is stored.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts import allowances
from citizen_cloud.accounts.refusals import OtpInvalid
from citizen_cloud.accounts.rules import lifetimes
from citizen_cloud.accounts.services import devices, networks
from citizen_cloud.accounts.services.devices import Shown
from citizen_cloud.accounts.services.otp import LIMITS, Purpose, code_hashes, phone_place
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import rows_changed
from citizen_cloud.errors import Refusal, TooMany


@dataclass(frozen=True, kw_only=True)
class ProvenPhone:
    """A try that was right; spending the challenge is still to be won."""

    challenge_id: UUID
    phone: str


# The try is counted before it is judged: parallel guesses share the five, whoever is first. The
# failure is counted in the same statement, where a worker's death cannot come between. Only codes
# bound to no device count against the network: the others no stranger can guess.
_TRY = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         today AS (SELECT t, cast(t AT TIME ZONE 'Asia/Shanghai' AS date) AS day FROM clock),
         tried AS (
            UPDATE accounts.otp_challenge c SET tries = tries + 1 FROM today
             WHERE c.id = :id AND c.purpose = :purpose AND c.spent_at IS NULL
               AND c.tries < :tries AND c.expires_at > t
               AND NOT EXISTS (SELECT 1 FROM accounts.otp_day l
                                WHERE l.allowance = c.allowance AND l.day_on >= day - 1
                                  AND l.locked_until > t)
               AND (c.device_id IS NOT NULL
                    OR NOT EXISTS (SELECT 1 FROM accounts.network_hour n
                                    WHERE n.network = :network AND n.failures >= :most_failures
                                      AND n.hour_at = date_trunc('hour', t)))
            RETURNING c.allowance, c.phone_sealed, c.device_id, c.code_hash = ANY(:hashes)
               AND (c.device_id IS NULL OR EXISTS (
                    SELECT 1 FROM accounts.device d
                     WHERE d.id = c.device_id AND d.id = :device_id AND d.removed_at IS NULL
                       AND (:is_let_in OR d.secret_hash = :device_hash))) AS is_right),
         counted AS (
            INSERT INTO accounts.otp_day AS d (allowance, day_on, sent, failures)
            SELECT allowance, day, 0, 1 FROM tried, today WHERE NOT is_right
            ON CONFLICT (allowance, day_on) DO UPDATE
               SET failures = d.failures + 1,
                   locked_until = CASE WHEN (d.failures + 1) % :failures = 0
                                       THEN (SELECT t FROM clock) + :lock
                                       ELSE d.locked_until END
            RETURNING locked_until > (SELECT t FROM clock) AS is_locked),
         network_counted AS (
            INSERT INTO accounts.network_hour AS n (network, hour_at, failures)
            SELECT :network, date_trunc('hour', t), 1 FROM counted, tried, clock
             WHERE tried.device_id IS NULL AND cast(:network AS bytea) IS NOT NULL
            ON CONFLICT (network, hour_at) DO UPDATE SET failures = n.failures + 1)
    SELECT tried.is_right, tried.phone_sealed, counted.is_locked
      FROM tried LEFT JOIN counted ON true
    """
)
_WAIT = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t)
    SELECT ceil(extract(epoch FROM greatest(
             (SELECT max(l.locked_until) FROM accounts.otp_day l
               WHERE l.allowance = c.allowance) - t,
             (SELECT n.hour_at + interval '1 hour' FROM accounts.network_hour n
               WHERE n.network = :network AND n.failures >= :most_failures
                 AND n.hour_at = date_trunc('hour', t) AND c.device_id IS NULL) - t)))
      FROM clock, accounts.otp_challenge c
     WHERE c.id = :id AND c.spent_at IS NULL
    """
)


def try_code(
    connection: Connection,
    *,
    challenge_id: UUID,
    code: str,
    purpose: Purpose = "sign_in",
    device: Shown = None,
    network: str | None = None,
    now: datetime | None = None,
) -> ProvenPhone | Refusal:
    """Count one try and judge it; run in autocommit, and raise a returned refusal afterwards.

    Five tries a challenge, five minutes, one use, one purpose; every twentieth failure of a day
    locks the allowance for an hour. Strangers of a network that failed too often wait for the next
    hour; a device that proves itself does not.
    """
    by_network = {
        "network": networks.index_of(network) if network else None,
        "most_failures": allowances.current().failures_per_network,
    }
    row = connection.execute(
        _TRY,
        {
            **LIMITS,
            **by_network,
            **devices.shown(device),
            "id": challenge_id,
            "purpose": purpose,
            "hashes": code_hashes(challenge_id, purpose, code),
            "now": now,
        },
    ).first()
    if row is None:
        return _untried(connection, {**by_network, "id": challenge_id, "now": now})
    if row.is_right:
        opened = crypto.current().open(row.phone_sealed, place=phone_place(challenge_id))
        return ProvenPhone(challenge_id=challenge_id, phone=opened)
    if row.is_locked:
        record(connection, _locked_act(challenge_id))
    return OtpInvalid()


def _untried(connection: Connection, asked: dict[str, object]) -> Refusal:
    """Say why a code was not even looked at: something is locked, or there is none."""
    wait_s = connection.scalar(_WAIT, asked)
    return TooMany(retry_after=int(wait_s)) if wait_s and wait_s > 0 else OtpInvalid()


def _locked_act(challenge_id: UUID) -> Act:
    return Act(
        actor_kind="stranger",
        actor_id=None,
        action="accounts.code_locked",
        object_type="otp_challenge",
        object_id=challenge_id,
        payload={"failures": lifetimes.OTP_FAILURES_PER_DAY},
    )


_SPEND = text(
    """
    UPDATE accounts.otp_challenge SET spent_at = coalesce(:now, statement_timestamp())
     WHERE id = :id AND spent_at IS NULL
       AND expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp()) RETURNING id
    """
)


def spend(session: Session, *, challenge_id: UUID, now: datetime | None = None) -> None:
    """Use a challenge up: of any number of right tries one passes. Raises ``OtpInvalid``."""
    # The WHERE is the lock: whoever waited for the row sees it spent.
    if session.scalar(_SPEND, {"id": challenge_id, "now": now}) is None:
        raise OtpInvalid


_FORGET = text(
    """
    DELETE FROM accounts.otp_challenge
     WHERE phone_index = ANY(:indexes)
       AND (spent_at IS NOT NULL
            OR expires_at <= coalesce(cast(:now AS timestamptz), statement_timestamp()))
    """
)


def forget_over(session: Session, *, phone: str, now: datetime | None = None) -> int:
    """Delete the codes to a number that open nothing any more; return how many.

    Those still good stay: they may be for somebody else.
    """
    indexes = crypto.current().lookups_of("phone", phone)
    return rows_changed(session, _FORGET, {"indexes": indexes, "now": now})
