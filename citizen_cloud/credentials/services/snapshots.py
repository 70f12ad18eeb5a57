"""Publish what verifiers work from: which keys count, which are revoked, which codes are void.

Everything in one signed file, so that a gate which has it needs nobody. Codes of a revoked key, and
of a type that ended with its service, are not listed: one word says it of all of them.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import jwt
import structlog
from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from citizen_cloud.credentials import keys, verifier
from citizen_cloud.credentials.proofs import to_text
from citizen_cloud.credentials.queries import Published
from citizen_cloud.credentials.verifier.snapshots import PREFIX_BYTES
from citizen_cloud.registry.ended import ended_types, is_ended

ISSUER = "citizen-cloud"
TYP = "snapshot+jwt"
LIFE = timedelta(seconds=600)
KEPT = 3
# A gate reads six times as many (``verifier.snapshots.LONGEST``); operators hear of it before.
LARGE = 1_000_000
# Any number that no other advisory lock of this database uses.
PUBLISHER_LOCK = 7_301_016

log = structlog.get_logger(__name__)

_ONE_PUBLISHER = text("SELECT pg_advisory_xact_lock(:lock)")
# Behind the lock, so that a higher number never knows less. A clock's second is above every number
# that was ever given, also where an older backup came back.
_READ = text(
    f"""
    SELECT t.now,
           greatest((SELECT coalesce(max(number), 0) + 1 FROM credentials.snapshot),
                    extract(epoch FROM t.now)::bigint) AS number,
           (SELECT string_agg(v.prefix, ''::bytea ORDER BY v.prefix)
              FROM (SELECT DISTINCT substring(uuid_send(c.jti) FROM 1 FOR 8) AS prefix
                      FROM credentials.credential c
                     WHERE (c.revoked_at IS NOT NULL OR c.suspended_at IS NOT NULL)
                       AND c.expires_at > t.now
                       AND NOT EXISTS (SELECT 1 FROM credentials.key_revocation r
                                        WHERE r.kid = c.kid)
                       AND NOT {is_ended("c.type", "c.issued_at")}) v) AS void
      FROM (SELECT date_trunc('second', coalesce(cast(:now AS timestamptz),
                                                 statement_timestamp())) AS now) t
    """  # noqa: S608 - no part of it comes from outside
)
_NEWEST = text(
    """
    SELECT number, issued_at, expires_at, text FROM credentials.snapshot
     ORDER BY number DESC LIMIT 1
    """
)
_REVOKED = text("SELECT kid, at, reason FROM credentials.key_revocation ORDER BY kid")
_WRITE = text(
    """
    WITH gone AS (DELETE FROM credentials.snapshot
                   WHERE number NOT IN (SELECT number FROM credentials.snapshot
                                         ORDER BY number DESC LIMIT :kept))
    INSERT INTO credentials.snapshot (number, issued_at, expires_at, text)
    VALUES (:number, :issued_at, :expires_at, :text)
    """
)


def publish(session: Session, *, now: datetime | None = None) -> Published:
    """Sign what is so now and make it the newest snapshot; one at a time, in rising numbers."""
    session.execute(_ONE_PUBLISHER, {"lock": PUBLISHER_LOCK})
    row = session.execute(_READ, {"now": now}).mappings().one()
    revoked = session.execute(_REVOKED).mappings().all()
    # Behind the void codes: what a purge forgets meanwhile has been said to have ended before.
    ended = ended_types(session)
    if len(row["void"] or b"") > LARGE * PREFIX_BYTES:
        log.error("snapshot_is_large", void_codes=len(row["void"]) // PREFIX_BYTES)
    made = Published(
        number=row["number"],
        issued_at=row["now"],
        expires_at=row["now"] + LIFE,
        text=_signed(row, revoked, ended),
    )
    session.execute(_WRITE, {**vars(made), "kept": KEPT})
    return made


def publish_first(session: Session) -> Published:
    """Return the newest snapshot; where there is none yet, one is published, and only one.

    A new installation answers its gates before any worker came by.
    """
    session.execute(_ONE_PUBLISHER, {"lock": PUBLISHER_LOCK})
    row = session.execute(_NEWEST).mappings().first()
    return publish(session) if row is None else Published(**row)


def _signed(
    row: RowMapping, revoked: Sequence[RowMapping], ended: Mapping[str, datetime | None]
) -> str:
    claims = {
        "iss": ISSUER,
        "iat": int(row["now"].timestamp()),
        "exp": int((row["now"] + LIFE).timestamp()),
        "number": row["number"],
        **keys.document({one["kid"] for one in revoked}),
        "revoked_keys": [
            {"kid": one["kid"], "at": int(one["at"].timestamp()), "reason": one["reason"]}
            for one in revoked
        ],
        "ended_types": {
            type_: None if begun_at is None else int(begun_at.timestamp())
            for type_, begun_at in ended.items()
        },
        "void": to_text(row["void"] or b""),
    }
    kid, key = keys.trust_key()
    return jwt.PyJWS().encode(
        json.dumps(claims, separators=(",", ":")).encode(),
        key,
        algorithm=verifier.ALGORITHM,
        headers={"typ": TYP, "kid": kid},
        sort_headers=True,
    )
