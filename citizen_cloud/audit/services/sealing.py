"""Chain the entries whose transactions are over."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.rules import COLUMNS, GENESIS, WIDTH, digest, instant, link

# Any number that no other advisory lock of this database uses.
SEALER_LOCK = 7_301_001

_UNSEALED = text(
    f"""
    SELECT {COLUMNS}, e.salt, e.id AS entry_id
      FROM audit.entry e
     WHERE e.xid >= :low AND e.xid < :high
     ORDER BY e.xid
     FETCH FIRST :most ROWS WITH TIES
    """  # noqa: S608 - constants
)
_NOW = text(
    """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
           (extract(epoch FROM statement_timestamp()) * 1000000)::bigint
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
    high, now_us = session.execute(_NOW).one()
    found = session.execute(_UNSEALED, {"low": low, "high": high, "most": most}).all()
    rows = sorted(found, key=lambda row: (row.xid, row.entry_id))
    if len(rows) >= most:
        # WITH TIES took whole transactions, so the watermark can stand right behind the last.
        high = rows[-1].xid + 1
    number, prev = _head(session)
    links = []
    for row in rows:
        number += 1
        of_entry = digest(row[:WIDTH], bytes(row.salt))
        made = {"number": number, "entry_id": row.entry_id, "digest": of_entry, "prev": prev}
        prev = link(prev, number, of_entry, now_us)
        links.append({**made, "hash": prev, "sealed_at": instant(now_us)})
    if links:
        session.execute(_SEAL, links)
    session.execute(
        text("UPDATE audit.watermark SET sealed_below = :high WHERE id = 1"), {"high": high}
    )
    return len(links)


def _head(session: Session) -> tuple[int, bytes]:
    row = session.execute(
        text("SELECT number, hash FROM audit.seal ORDER BY number DESC LIMIT 1")
    ).first()
    return (row.number, bytes(row.hash)) if row else (0, GENESIS)


def length(session: Session) -> int:
    """Return how many links the chain has."""
    return _head(session)[0]
