"""Issue living codes of revoked keys anew, batch by batch: stopped anywhere, it goes on there.

A batch is one transaction: the old codes end, the new ones begin, and the news is left, or none of
it. What is done is no longer of a revoked key, so the next run does not find it again.
"""

from collections.abc import Mapping, Sequence
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
    THIN,
    USABLE_KEY,
    name_place,
    new_jti,
    sealed_name,
)
from citizen_cloud.errors import Unavailable
from citizen_cloud.jobs.services import announce

REISSUED = "credentials.reissued"

# A thin code is over before anybody could be told.
_DUE = f"""
    kid = ANY(:kids) AND revoked_at IS NULL AND type <> '{THIN}'
    AND expires_at > coalesce(cast(:now AS timestamptz), statement_timestamp())
    AND kid IN (SELECT r.kid FROM credentials.key_revocation r)
"""  # noqa: S608 - no part of these comes from outside
_LEFT = text(f"SELECT count(*) FROM credentials.credential WHERE {_DUE}")  # noqa: S608
_KEY = text(f"SELECT {USABLE_KEY}")
_BATCH = text(
    f"""
    SELECT jti, type, subject_id, holder_id, not_before, expires_at, claims::text AS claims,
           show_key, device_key_id, name_sealed, suspended_at
      FROM credentials.credential WHERE {_DUE} ORDER BY kid, jti LIMIT :size FOR UPDATE
    """  # noqa: S608
)
# The show key goes over to the new code, so that the phone can go on with it.
_END = text(
    """
    UPDATE credentials.credential
       SET revoked_at = coalesce(cast(:now AS timestamptz), statement_timestamp()), show_key = NULL
     WHERE jti = ANY(:jtis)
    """
)
_BEGIN = text(
    """
    INSERT INTO credentials.credential
           (jti, type, subject_id, holder_id, kid, issued_at, not_before, expires_at, claims,
            show_key, device_key_id, name_sealed, suspended_at)
    SELECT :jti, :type, :subject_id, :holder_id, :kid, t.at, greatest(:not_before, t.at),
           :expires_at, cast(:claims AS jsonb), :show_key, :device_key_id, :name_sealed,
           :suspended_at
      FROM (SELECT date_trunc('second', coalesce(cast(:now AS timestamptz),
                                                 statement_timestamp())) AS at) t
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
    session.execute(_END, {"jtis": [row["jti"] for row in rows], "now": now})
    made = [_anew(row, kid, now) for row in rows]
    session.execute(_BEGIN, made)
    for one in made:
        announce(session, REISSUED, _news(one))
    return Batch(done=len(made), held=sum(one["holder_id"] is not None for one in made))


def _anew(row: RowMapping, kid: str, now: datetime | None) -> dict[str, Any]:
    jti = new_jti()
    of_its_own = row["subject_id"] == row["jti"]
    return {
        **row,
        "jti": jti,
        "subject_id": jti if of_its_own else row["subject_id"],
        "kid": kid,
        "name_sealed": _resealed(row, jti),
        "now": now,
    }


def _resealed(row: RowMapping, jti: UUID) -> bytes | None:
    """Bind a masked name to its new code."""
    if row["name_sealed"] is None:
        return None
    name = crypto.current().open(row["name_sealed"], place=name_place(row["jti"]))
    return sealed_name(name, jti)


def _news(code: Mapping[str, Any]) -> dict[str, Any]:
    return {name: code[name] for name in ("type", "subject_id", "holder_id")}
