"""Walk the whole chain and name every row that is not as it was written."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.rules import COLUMNS, MOVED, instant
from citizen_cloud.audit.services.heads import known_heads
from citizen_cloud.audit.services.orders import ORDER, Orders
from citizen_cloud.audit.services.walking import SEAL_WIDTH, Fault, Walk

PAGE = 10_000
# A flood of strangers below the watermark is told by its first rows.
MOST_UNSEALED = 1_000


@dataclass(frozen=True)
class Finding:
    """One thing wrong with the chain, and where.

    ``at`` is when the row was sealed; ``since`` the first number a rewriting may have begun at.
    """

    number: int
    kind: str
    entry_id: UUID | None = None
    at: datetime | None = None
    since: int | None = None
    until: int | None = None

    def __str__(self) -> str:
        where = f"no. {self.number}"
        if self.until is not None and self.until != self.number:
            where += f" to {self.until}"
        if self.since is not None and self.since != self.number:
            where += f", from {self.since} on"
        sealed = f", sealed {self.at:%Y-%m-%d %H:%M:%S} UTC" if self.at else ""
        return f"{where}: {self.kind} (entry {self.entry_id}{sealed})"


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What a walk over the chain saw."""

    length: int
    redacted: int
    findings: list[Finding]


_CHAIN = text(
    f"""
    SELECT s.number, s.entry_id::text, s.digest, s.prev, s.hash,
           (extract(epoch FROM s.sealed_at) * 1000000)::bigint, e.salt, {COLUMNS}
      FROM audit.seal s LEFT JOIN audit.entry e ON e.id = s.entry_id ORDER BY s.number
    """  # noqa: S608 - constants
)
# Below the watermark everything was sealed: what has no seal there lost it, or was put in. So was
# what claims a transaction that is still to come: none that is seen is behind the snapshot, but
# the reader's own.
_UNSEALED = text(
    f"""
    SELECT e.id, coalesce((
             SELECT s.number FROM audit.entry x JOIN audit.seal s ON s.entry_id = x.id
              WHERE x.xid <= e.xid AND (x.xid, x.id) < (e.xid, e.id)
              ORDER BY x.xid DESC, x.id DESC LIMIT 1), 0) AS before
      FROM (SELECT e.id, e.xid FROM audit.entry e LEFT JOIN audit.seal s ON s.entry_id = e.id
             WHERE s.number IS NULL
               AND (e.xid < :mark OR e.xid >= greatest(
                     :mark, pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
                     pg_current_xact_id_if_assigned()::text::bigint + 1))
             ORDER BY e.xid, e.id LIMIT {MOST_UNSEALED}) e
    """  # noqa: S608
)
# Acts that were written after the walk began, or are not sealed yet.
_LATE = text(
    "SELECT payload::text FROM audit.entry WHERE xid >= :low AND action = :action ORDER BY xid, id"
)
_MARK = text("SELECT sealed_below FROM audit.watermark WHERE id = 1")
# The mark now, and the number that no transaction may have yet.
_MARKS = text(
    "SELECT (SELECT sealed_below FROM audit.watermark WHERE id = 1) AS mark, "
    "pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS following"
)


def verify(session: Session) -> list[Finding]:
    """Walk the whole chain; an empty list means nothing was edited, removed or inserted."""
    return examine(session).findings


def examine(
    session: Session,
    *,
    heads: Mapping[int, bytes] | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Examination:
    """Walk the whole chain and compare it with the heads that were published.

    ``heads`` are those somebody kept outside (number to hash), beside those in the database. An
    entry erased by an order that stands in the chain is *redacted*, not a finding.
    """
    # A walk over years takes longer than one caller may hold up the others.
    session.execute(text("SET LOCAL statement_timeout = '30min'"))
    low = session.scalar(_MARK) or 0
    published = [*known_heads(session), *(heads or {}).items()]
    walk, orders = Walk(), Orders()
    hashes: dict[int, bytes] = dict.fromkeys((number for number, _ in published), b"")
    for row in session.execute(_CHAIN.execution_options(yield_per=PAGE)):
        is_genuine = walk.take(row)
        if row[0] in hashes:
            hashes[row[0]] = row[4]
        if is_genuine and row[SEAL_WIDTH + 5] == ORDER:
            orders.take(row[0], row[SEAL_WIDTH + 9])
        if walk.count % PAGE == 0:
            progress(walk.count)
    for payload in session.scalars(_LATE, {"low": low, "action": ORDER}):
        orders.take(None, payload)
    redacted, unordered = orders.judge(walk.blank)
    mark, following = session.execute(_MARKS).one()
    if session.scalars(_LATE, {"low": low, "action": MOVED}).first():
        walk.newest_xid = -1
    found = [
        *(_finding(fault) for fault in (*walk.faults, *unordered)),
        *_against(published, hashes, walk.last),
        *_unsealed(session, walk, mark),
        *_watermark(walk, mark, following),
    ]
    found.sort(key=lambda finding: finding.number)
    return Examination(length=walk.last, redacted=redacted, findings=found)


def _finding(fault: Fault) -> Finding:
    return Finding(
        number=fault.number,
        kind=fault.kind,
        entry_id=None if fault.entry_id is None else UUID(fault.entry_id),
        at=None if fault.sealed_us is None else instant(fault.sealed_us),
        until=fault.until,
    )


def _against(
    published: list[tuple[int, bytes]], hashes: Mapping[int, bytes], last: int
) -> Iterator[Finding]:
    """Compare with what was published; the first head that differs bounds where it began."""
    good = 0
    for number, said in sorted(published):
        if number > last:
            yield Finding(number=last + 1, kind="truncated", until=number)
            return
        if hashes[number] == said:
            good = number
        # A number that is missing was told already.
        elif hashes[number]:
            yield Finding(number=number, kind="rewritten", since=good + 1)
            return


def _unsealed(session: Session, walk: Walk, mark: int | None) -> Iterator[Finding]:
    for row in session.execute(_UNSEALED, {"mark": mark or 0}):
        place = row.before + 1
        if walk.is_missing(place):
            yield Finding(number=place, kind="deleted_seal", entry_id=row.id)
        else:
            yield Finding(number=row.before, kind="inserted", entry_id=row.id)


def _watermark(walk: Walk, mark: int | None, following: int) -> Iterator[Finding]:
    """Find a watermark that lets the sealer pass over entries, or take them up again."""
    if mark is None or mark <= walk.newest_xid or mark > following:
        yield Finding(number=walk.last, kind="watermark")
