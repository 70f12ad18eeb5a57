"""Make, show and replace the provider's signing keys; they live in the database, sealed."""

import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.audit.services import Act, record
from citizen_cloud.db import rows_changed
from citizen_cloud.oidc.keys import ALGORITHMS, ProviderKeys, Signer
from citizen_cloud.oidc.rules.lifetimes import (
    KEY_AFTER,
    KEY_AFTER_NOW,
    KEY_AGE,
    KEY_AHEAD,
    KEY_NOW,
)

RSA_BITS = 3072
# Any number that no other advisory lock of this database uses.
KEYS_LOCK = 7_301_010

_SHOWN = text(
    """
    SELECT k.kid, k.alg, k.public_jwk, k.private_sealed, k.active_from <= c.t AS is_active
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) c,
           oidc.signing_key k
     WHERE k.retires_at IS NULL OR k.retires_at > c.t
     ORDER BY k.active_from, k.kid
    """
)
_NEWEST = text(
    """
    SELECT c.t AS moment,
           (SELECT max(k.active_from) FROM oidc.signing_key k WHERE k.alg = :alg) AS newest
      FROM (SELECT coalesce(cast(:now AS timestamptz), statement_timestamp()) AS t) c
    """
)
_ADD = text(
    """
    INSERT INTO oidc.signing_key (kid, alg, public_jwk, private_sealed, created_at, active_from)
    VALUES (:kid, :alg, cast(:public AS jsonb), :private, :now, :active_from)
    """
)
_RETIRE = text(
    """
    UPDATE oidc.signing_key SET retires_at = least(retires_at, cast(:until AS timestamptz))
     WHERE alg = :alg AND kid <> :kid
    """
)
_FORGET = text(
    """
    DELETE FROM oidc.signing_key
     WHERE retires_at <= coalesce(cast(:now AS timestamptz), statement_timestamp())
    """
)


def private_place(kid: str) -> str:
    """Return what binds a sealed private key to its row."""
    return f"oidc.signing_key:private:{kid}"


def provider_keys(session: Session, *, now: datetime | None = None) -> ProviderKeys:
    """Return the keys as the table knows them; the first caller ever makes them.

    Whoever comes meanwhile waits for the lock and finds them made.
    """
    found = _read(session, now)
    if found.signers.keys() < set(ALGORITHMS):
        _lock(session)
        found = _read(session, now)
        for alg in set(ALGORITHMS) - found.signers.keys():
            _add(session, alg, ahead=timedelta(0), now=now)
        found = _read(session, now)
    return found


def rotate_keys(
    session: Session, *, at_once: bool = False, only_old: bool = False, now: datetime | None = None
) -> list[str]:
    """Put a new key beside each present one; return the new ones' names.

    A new key is shown for a day before it signs, the old one for a week after. ``at_once`` makes
    that a minute, by when every process has read it, and a few minutes. ``only_old`` leaves keys
    that are younger than 90 days alone.
    """
    _lock(session)
    made = []
    for alg in ALGORITHMS:
        row = session.execute(_NEWEST, {"alg": alg, "now": now}).one()
        is_young = row.newest is not None and row.moment - row.newest < KEY_AGE
        if only_old and (is_young or row.newest is None):
            continue
        made.append(_add(session, alg, ahead=KEY_NOW if at_once else KEY_AHEAD, now=row.moment))
        after = KEY_AFTER_NOW if at_once else KEY_AFTER
        until = row.moment + (KEY_NOW if at_once else KEY_AHEAD) + after
        session.execute(_RETIRE, {"alg": alg, "kid": made[-1], "until": until})
    if made:
        act = Act(
            actor_kind="system",
            actor_id=None,
            action="oidc.keys_rotated",
            object_type="signing_key",
            object_id=None,
            payload={"kids": made, "at_once": at_once},
        )
        record(session, act)
    return made


def forget_retired(session: Session, *, now: datetime | None = None) -> int:
    """Delete keys whose signatures are all over; return how many."""
    return rows_changed(session, _FORGET, {"now": now})


def _lock(session: Session) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": KEYS_LOCK})


def _add(session: Session, alg: str, *, ahead: timedelta, now: datetime | None) -> str:
    kid = secrets.token_hex(8)
    facts: Any = {"kid": kid, "use": "sig", "alg": alg}
    key: RSAKey | ECKey
    key = (
        RSAKey.generate_key(RSA_BITS, facts)
        if alg == "RS256"
        else ECKey.generate_key("P-256", facts)
    )
    sealed = crypto.current().seal(json.dumps(key.as_dict(private=True)), place=private_place(kid))
    t = now or session.scalar(text("SELECT statement_timestamp()"))
    session.execute(
        _ADD,
        {
            "kid": kid,
            "alg": alg,
            "public": json.dumps(key.as_dict(private=False)),
            "private": sealed,
            "now": t,
            "active_from": t + ahead,
        },
    )
    return kid


def _read(session: Session, now: datetime | None) -> ProviderKeys:
    rows = session.execute(_SHOWN, {"now": now}).mappings().all()
    # In order of time: the youngest that may sign wins.
    signers = {row["alg"]: _signer(row) for row in rows if row["is_active"]}
    return ProviderKeys(public=tuple(row["public_jwk"] for row in rows), signers=signers)


def _signer(row: RowMapping) -> Signer:
    opened = crypto.current().open(row["private_sealed"], place=private_place(row["kid"]))
    return Signer(kid=row["kid"], private_jwk=json.loads(opened))
