"""Chain the entries whose transactions are over."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from citizen_cloud.audit.rules import COLUMNS, GENESIS, MOVED, WIDTH, digest, instant, link
from citizen_cloud.audit.services.acts import Act, record

# Any number that no other advisory lock of this database uses.
SEALER_LOCK = 7_301_001

_UNSEALED = text(
    f"""
    SELECT {COLUMNS}, e.salt, e.id AS entry_id
      FROM audit.entry e
     WHERE e.xid >= :low AND e.xid < :high
       AND NOT EXISTS (SELECT FROM audit.seal s WHERE s.entry_id = e.id)
     ORDER BY e.xid
     FETCH FIRST :most ROWS WITH TIES
    """  # noqa: S608 - constants
)
# After a move: what still waited when the database was copied, and what was written here since.
_LEFT_OVER = text(
    f"""
    SELECT {COLUMNS}, e.salt, e.id AS entry_id
      FROM audit.entry e
     WHERE (e.xid >= :low OR (e.xid < :high AND e.at > coalesce(
               (SELECT s.sealed_at FROM audit.seal s ORDER BY s.number DESC LIMIT 1), '-infinity')))
       AND NOT EXISTS (SELECT FROM audit.seal s WHERE s.entry_id = e.id)
     ORDER BY e.id LIMIT :most
    """  # noqa: S608
)
_NOW = text(
    """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS high,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next,
           (extract(epoch FROM statement_timestamp()) * 1000000)::bigint AS now_us
    """
)
_SEAL = text(
    "INSERT INTO audit.seal (number, entry_id, digest, prev, hash, sealed_at) "
    "VALUES (:number, :entry_id, :digest, :prev, :hash, :sealed_at)"
)


def seal(session: Session, *, most: int = 5_000) -> int:
    """Chain the entries whose transactions are over; return how many were sealed.

    Runs under an advisory lock, so that one sealer works at a time. Everything below the oldest
    running transaction is complete, therefore nothing can appear behind the watermark later.
    """
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:k)"), {"k": SEALER_LOCK}):
        return 0
    low = session.scalar(text("SELECT sealed_below FROM audit.watermark WHERE id = 1")) or 0
    high, following, now_us = session.execute(_NOW).one()
    if low > following:
        return _seal_after_a_move(session, low=low, high=high, now_us=now_us, most=most)
    found = session.execute(_UNSEALED, {"low": low, "high": high, "most": most}).all()
    rows = sorted(found, key=lambda row: (row.xid, row.entry_id))
    if len(rows) >= most:
        # WITH TIES took whole transactions, so the watermark can stand right behind the last.
        high = rows[-1].xid + 1
    _chain(session, rows, now_us)
    _mark(session, high)
    return len(rows)


def _seal_after_a_move(session: Session, *, low: int, high: int, now_us: int, most: int) -> int:
    """Go on where no transaction has got to yet: the database came from another cluster.

    What waited then and what was written since is sealed, nothing older. The act of it in the
    chain tells whoever verifies that the numbers of transactions begin anew.
    """
    session.execute(text("SET LOCAL statement_timeout = '30min'"))
    rows = session.execute(_LEFT_OVER, {"low": low, "high": high, "most": most}).all()
    _chain(session, rows, now_us)
    if len(rows) < most:
        _mark(session, high)
        act = Act(
            actor_kind="system",
            actor_id=None,
            action=MOVED,
            object_type="audit",
            object_id=None,
            payload={"sealed_below": low, "from": high},
        )
        record(session, act)
    return len(rows)


def _chain(session: Session, rows: Sequence[Row[Any]], now_us: int) -> None:
    number, prev = _head(session)
    links = []
    for row in rows:
        number += 1
        # An entry that was never salted is sealed as it is: a finding, and no end of sealing.
        of_entry = digest(row[:WIDTH], bytes(row.salt or b""))
        made = {"number": number, "entry_id": row.entry_id, "digest": of_entry, "prev": prev}
        prev = link(prev, number, of_entry, now_us)
        links.append({**made, "hash": prev, "sealed_at": instant(now_us)})
    if links:
        session.execute(_SEAL, links)


def _mark(session: Session, high: int) -> None:
    session.execute(
        text("UPDATE audit.watermark SET sealed_below = :high WHERE id = 1"), {"high": high}
    )


def _head(session: Session) -> tuple[int, bytes]:
    row = session.execute(
        text("SELECT number, hash FROM audit.seal ORDER BY number DESC LIMIT 1")
    ).first()
    return (row.number, bytes(row.hash)) if row else (0, GENESIS)


def length(session: Session) -> int:
    """Return how many links the chain has."""
    return _head(session)[0]
