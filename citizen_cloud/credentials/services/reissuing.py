"""Issue living codes of revoked keys anew, batch by batch: stopped anywhere, it goes on there.

A batch is one transaction: the old codes end, the new ones begin, and the news is left, or none of
it. What is done is no longer of a revoked key, so the next run does not find it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.orm import Session

from citizen_cloud import crypto
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.services.issuing import (
    RETRY_AFTER_S,
    USABLE_KEY,
    name_place,
    new_jti,
    sealed_name,
)
from citizen_cloud.errors import Unavailable
from citizen_cloud.jobs.services import announce_all
from citizen_cloud.registry.ended import is_ended

REISSUED = "credentials.reissued"

_DUE = f"""
    kid = ANY(:kids) AND revoked_at IS NULL
    AND expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
    AND kid IN (SELECT r.kid FROM credentials.key_revocation r)
    AND NOT {is_ended("credential.type", "credential.issued_at")}
"""  # noqa: S608 - no part of these comes from outside
_LEFT = text(f"SELECT count(*) FROM credentials.credential WHERE {_DUE}")  # noqa: S608
_KEY = text(f"SELECT {USABLE_KEY}")
# Who ends one of them at this instant is not waited for, so that nobody waits in a circle; what is
# left of them then comes with a later batch.
_BATCH = text(
    f"""
    SELECT jti, type, holder_id, kid, issued_at, not_before, name_sealed
      FROM credentials.credential WHERE {_DUE} ORDER BY kid, jti LIMIT :size
       FOR UPDATE SKIP LOCKED
    """  # noqa: S608
)
# In its own row, not in a new one: whoever waits to end the code - a colour turns, a phone is lost,
# somebody is forgotten - ends the one that it has become. The show key stays, so that the phone
# can go on with it.
_RENEW = text(
    """
    UPDATE credentials.credential c
       SET jti = n.jti,
           subject_id = CASE WHEN c.subject_id = c.jti THEN n.jti ELSE c.subject_id END,
           kid = :kid, issued_at = t.at, not_before = greatest(c.not_before, t.at),
           name_sealed = n.name_sealed
      FROM unnest(cast(:before AS uuid[]), cast(:jtis AS uuid[]), cast(:names AS bytea[]))
           AS n(before, jti, name_sealed),
           (SELECT date_trunc('second', coalesce(cast(:now AS timestamptz),
                                                 statement_timestamp())) AS at) t
     WHERE c.jti = n.before
    RETURNING n.jti, c.subject_id
    """
)
# What the old number leaves behind: when it counted, and whose it was no more.
_LEAVE = text(
    """
    INSERT INTO credentials.credential
           (jti, type, subject_id, kid, issued_at, not_before, expires_at, revoked_at)
    SELECT n.before, c.type, n.before, n.kid, n.issued_at, n.not_before, c.expires_at,
           coalesce(cast(:now AS timestamptz), statement_timestamp())
      FROM unnest(cast(:before AS uuid[]), cast(:jtis AS uuid[]), cast(:kids AS varchar[]),
                  cast(:issued_at AS timestamptz[]), cast(:not_before AS timestamptz[]))
           AS n(before, jti, kid, issued_at, not_before)
      JOIN credentials.credential c ON c.jti = n.jti
    """
)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """How many codes were issued anew, and how many of them were held by a person."""

    done: int
    held: int


def left(
    connection: Session | Connection, *, kids: Sequence[str], now: datetime | None = None
) -> int:
    """Return how many living codes revoked keys among these have signed."""
    return connection.scalar(_LEFT, {"kids": list(kids), "now": now}) or 0


def reissue_batch(
    session: Session, *, kids: Sequence[str], size: int, now: datetime | None = None
) -> Batch:
    """Issue the next living codes of these revoked keys anew; none where all is done.

    The same times, colour, name and show key under a key that counts; a suspended code stays
    suspended. Raises ``Unavailable`` where no such key is held.
    """
    kid = session.scalar(_KEY, {"kids": keys.names()})
    if kid is None:
        raise Unavailable(retry_after=RETRY_AFTER_S)
    rows = session.execute(_BATCH, {"kids": list(kids), "size": size, "now": now}).mappings().all()
    if not rows:
        return Batch(done=0, held=0)
    fresh = [new_jti() for _ in rows]
    between = {"before": [row["jti"] for row in rows], "jtis": fresh, "now": now}
    names = [_resealed(row, jti) for row, jti in zip(rows, fresh, strict=True)]
    renewed = session.execute(_RENEW, {**between, "kid": kid, "names": names})
    subjects = {row.jti: row.subject_id for row in renewed}
    was = {name: [row[name] for row in rows] for name in ("issued_at", "not_before")}
    session.execute(_LEAVE, {**between, **was, "kids": [row["kid"] for row in rows]})
    announce_all(
        session,
        REISSUED,
        [(_news(row, subjects[jti]), None) for row, jti in zip(rows, fresh, strict=True)],
        lane="bulk",
    )
    return Batch(done=len(rows), held=sum(row["holder_id"] is not None for row in rows))


def _resealed(row: RowMapping, jti: UUID) -> bytes | None:
    """Bind a masked name to its new code."""
    if row["name_sealed"] is None:
        return None
    name = crypto.current().open(row["name_sealed"], place=name_place(row["jti"]))
    return sealed_name(name, jti)


def _news(row: RowMapping, subject_id: UUID) -> dict[str, Any]:
    """Return what services are told; the key says to which theft it belongs."""
    return {
        "type": row["type"],
        "subject_id": subject_id,
        "holder_id": row["holder_id"],
        "kid": row["kid"],
    }
