"""What strangers of one network may do in an hour: ask for codes, and fail.

Only those count who prove no device: a neighbour who guesses locks nobody's own phone out. The
network is kept as a keyed hash, for a day.
"""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.accounts import allowances
from citizen_cloud.accounts.services import devices
from citizen_cloud.accounts.services.devices import DeviceProof
from citizen_cloud.errors import TooMany

# The hour of the clock: one row a network, and no window to keep.
_TAKE = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         hour AS (SELECT t, date_trunc('hour', t) AS at FROM clock)
    INSERT INTO accounts.network_hour AS n (network, hour_at, sent)
    SELECT :network, at, 1 FROM hour WHERE :most > 0
    ON CONFLICT (network, hour_at) DO UPDATE SET sent = n.sent + 1 WHERE n.sent < :most
    RETURNING sent
    """
)
_LEFT = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         hour AS (SELECT t, date_trunc('hour', t) AS at FROM clock)
    SELECT ceil(extract(epoch FROM at + interval '1 hour' - t)) FROM hour
    """
)
_KNOWN_OR_OPEN = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         hour AS (SELECT t, date_trunc('hour', t) AS at FROM clock)
    SELECT EXISTS (SELECT 1 FROM accounts.device d
                    WHERE d.id = :device_id AND d.account_id = :account_id
                      AND d.secret_hash = :device_hash AND d.removed_at IS NULL) AS is_known,
           coalesce((SELECT n.failures < :most FROM accounts.network_hour n
                      WHERE n.network = :network AND n.hour_at = hour.at), true) AS is_open,
           ceil(extract(epoch FROM at + interval '1 hour' - t)) AS left_s
      FROM hour
    """
)
_FAILED = text(
    """
    WITH clock AS (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t),
         hour AS (SELECT t, date_trunc('hour', t) AS at FROM clock)
    INSERT INTO accounts.network_hour AS n (network, hour_at, failures)
    SELECT :network, at, 1 FROM hour
    ON CONFLICT (network, hour_at) DO UPDATE SET failures = n.failures + 1
    """
)


def index_of(network: str) -> bytes:
    """Return what is stored of a network."""
    return crypto.current().counter("network", network)


def take_code(session: Session, *, network: str, now: datetime | None = None) -> None:
    """Count one code asked for by a stranger. Raises ``TooMany`` until the hour turns."""
    most = allowances.current().codes_per_network
    asked = {"network": index_of(network), "most": most, "now": now}
    if session.scalar(_TAKE, asked) is None:
        raise TooMany(retry_after=int(session.scalar(_LEFT, {"now": now}) or 1))


def is_known_or_open(
    connection: Connection,
    *,
    network: str,
    account_id: UUID,
    device: DeviceProof | None,
    now: datetime | None = None,
) -> bool:
    """Return whether this is a device of the account; strangers pass while the network is open.

    Asked before a password is looked at, and the same whoever the account is. Raises ``TooMany``.
    """
    row = connection.execute(
        _KNOWN_OR_OPEN,
        {
            "network": index_of(network),
            "most": allowances.current().failures_per_network,
            "account_id": account_id,
            **devices.shown(device),
            "now": now,
        },
    ).one()
    if not row.is_known and not row.is_open:
        raise TooMany(retry_after=int(row.left_s))
    return bool(row.is_known)


def count_failure(session: Session, *, network: str, now: datetime | None = None) -> None:
    """Count one failed sign-in of a stranger."""
    session.execute(_FAILED, {"network": index_of(network), "now": now})


# Several rows, so that nobody waits for another.
NOBODIES = 16


def count_nobody(session: Session, *, now: datetime | None = None) -> None:
    """Write as much as a wrong password of somebody does: time must not tell who exists."""
    count_failure(session, network=f"nobody {secrets.randbelow(NOBODIES)}", now=now)
