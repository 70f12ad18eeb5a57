"""Write everything anew with the present keys, while the city goes on.

Rows are read without locks, and each is changed only if it still holds what was read: whoever
writes meanwhile wins, and the next pass looks again. Nothing remembers how far a run came: what
is right already is skipped, so a run may be stopped anywhere and begun again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from citizen_cloud import crypto, db
from citizen_cloud.cli.keys.declared import Row, Table
from citizen_cloud.crypto import Crypto, Undecryptable
from citizen_cloud.db import rows_changed
from citizen_cloud.manifest import Sealed

MOST_PASSES = 4
SAID_EVERY = 20
# A citizen's request holds a row for some milliseconds; a row held longer waits for the next pass.
_LOCKS = text("SET LOCAL lock_timeout = '500ms'")


@dataclass
class Tally:
    """What a run did: values written anew, rows somebody else held, values no key opens."""

    rewritten: int = 0
    missed: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class Change:
    """New values of one row, and what the row must still hold for them."""

    key: Row
    new: Mapping[str, bytes]
    held: Row


def rewrite(tables: Iterable[Table], *, batch: int, tell: Callable[[str], None]) -> Tally:
    """Rewrite until a pass misses nothing, at most four times; return what happened."""
    known = list(tables)
    total = Tally()
    for _ in range(MOST_PASSES):
        missed, total.unreadable = 0, 0
        for table in known:
            tally = _pass(table, batch, tell)
            total.rewritten += tally.rewritten
            total.unreadable += tally.unreadable
            missed += tally.missed
        total.missed = missed
        if not missed:
            break
    return total


def _pass(table: Table, batch: int, tell: Callable[[str], None]) -> Tally:
    tally, seen = Tally(), 0
    for number, rows in enumerate(table.rows(batch), start=1):
        rings = crypto.current()
        changes = [each for row in rows if (each := due(table, row, rings, tally)) is not None]
        _write(table, changes, tally)
        seen += len(rows)
        if number % SAID_EVERY == 0:
            tell(f"{table.name}: {seen} rows seen, {tally.rewritten} values rewritten so far")
    tell(f"{table.name}: {seen} rows seen, {tally.rewritten} values rewritten")
    return tally


def due(table: Table, row: Row, rings: Crypto, tally: Tally) -> Change | None:
    """Return what a row needs; None where everything is right."""
    sources = {each.sealed for each in table.blind}
    new: dict[str, bytes] = {}
    opened: dict[str, str] = {}
    for cipher in table.sealed:
        raw = row[cipher.column]
        is_right = raw is None or rings.is_present(raw)
        if is_right and (raw is None or cipher.column not in sources):
            continue
        value = _opened(cipher, row, rings)
        if value is None:
            tally.unreadable += 1
            continue
        opened[cipher.column] = value
        if not is_right:
            new[cipher.column] = rings.seal(value, place=cipher.place.format(**row))
    new |= _reindexed(table, row, opened, rings)
    if not new:
        return None
    held = {name: row[name] for name in {*new, *sources}}
    return Change(key={name: row[name] for name in table.key}, new=new, held=held)


def _reindexed(
    table: Table, row: Row, opened: Mapping[str, str], rings: Crypto
) -> dict[str, bytes]:
    """Return the blind indexes of a row that are not those of the present key."""
    wanted = {
        index.column: rings.lookup(index.kind.format(**row), index.value(opened[index.sealed], row))
        for index in table.blind
        if index.sealed in opened
    }
    return {column: value for column, value in wanted.items() if row[column] != value}


def _opened(cipher: Sealed, row: Row, rings: Crypto) -> str | None:
    try:
        return rings.open(row[cipher.column], place=cipher.place.format(**row))
    except Undecryptable:
        return None


def _write(table: Table, changes: list[Change], tally: Tally) -> None:
    """Store a batch in one transaction; where that fails, row by row."""
    if not changes:
        return
    try:
        stored = _stored(table, changes)
    except DBAPIError:
        if len(changes) == 1:
            tally.missed += 1
            return
        for change in changes:
            _write(table, [change], tally)
        return
    tally.rewritten += sum(len(change.new) for change in stored)
    tally.missed += len(changes) - len(stored)


def _stored(table: Table, changes: list[Change]) -> list[Change]:
    with db.transaction() as session:
        session.execute(_LOCKS)
        return [
            change
            for change in changes
            if rows_changed(session, text(_update(table, change)), _values(change))
        ]


def _update(table: Table, change: Change) -> str:
    new = ", ".join(f"{name} = :new_{name}" for name in change.new)
    same = [f"{name} = :key_{name}" for name in change.key]
    same += [f"{name} IS NOT DISTINCT FROM :held_{name}" for name in change.held]
    return f"UPDATE {table.name} SET {new} WHERE {' AND '.join(same)}"  # noqa: S608 - declared names


def _values(change: Change) -> dict[str, Any]:
    named = (("new", change.new), ("key", change.key), ("held", change.held))
    return {f"{prefix}_{name}": value for prefix, part in named for name, value in part.items()}
