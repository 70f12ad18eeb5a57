"""What rooms and modules declare as sealed or blind, table by table, and the rows of it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any

from sqlalchemy import text

from citizen_cloud import db
from citizen_cloud.manifest import Blind, Contribution, Sealed, ServiceModule

Row = Mapping[str, Any]
_NAME = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")

_KEY = text(
    """
    SELECT a.attname FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
     WHERE i.indrelid = cast(:table AS regclass) AND i.indisprimary
     ORDER BY array_position(cast(i.indkey AS smallint[]), a.attnum)
    """
)


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table with sealed or blind columns."""

    name: str
    sealed: tuple[Sealed, ...]
    blind: tuple[Blind, ...]
    key: tuple[str, ...]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the columns to read: the key, what is sealed or blind, what places name."""
        templates = [each.place for each in self.sealed] + [each.kind for each in self.blind]
        named = {name for each in templates for _, name, _, _ in Formatter().parse(each) if name}
        own = {each.column for each in self.sealed} | {each.column for each in self.blind}
        return tuple(dict.fromkeys((*self.key, *sorted(own | named))))

    def rows(self, batch: int) -> Iterator[list[Row]]:
        """Yield all rows in the key's order, each batch in a statement of its own."""
        last: Row | None = None
        while found := self._after(last, batch):
            yield found
            last = found[-1]

    def _after(self, last: Row | None, batch: int) -> list[Row]:
        keys = ", ".join(self.key)
        begin = f"WHERE ({keys}) > ({', '.join(f':{name}' for name in self.key)})" if last else ""
        # Every name was checked in tables(), or comes from the catalogue.
        sql = (
            f"SELECT {', '.join(self.columns)} FROM {self.name} {begin} ORDER BY {keys} LIMIT :most"  # noqa: S608 - above
        )
        asked = {name: last[name] for name in self.key} if last else {}
        with db.statement() as connection:
            found = connection.execute(text(sql), {**asked, "most": batch})
            return [dict(row) for row in found.mappings()]


def tables(owners: Iterable[Contribution | ServiceModule]) -> list[Table]:
    """Return every table that somebody declares, with its primary key read from the database."""
    sealed: dict[str, list[Sealed]] = {}
    blind: dict[str, list[Blind]] = {}
    for owner in owners:
        for cipher in owner.sealed:
            sealed.setdefault(_checked(cipher), []).append(cipher)
        for index in owner.blind:
            blind.setdefault(_checked(index), []).append(index)
    return [
        Table(
            name=name,
            sealed=tuple(sealed.get(name, ())),
            blind=tuple(blind.get(name, ())),
            key=_key(name),
        )
        for name in sorted(sealed.keys() | blind.keys())
    ]


def _checked(each: Sealed | Blind) -> str:
    for name in (each.table, each.column):
        if not _NAME.fullmatch(name):
            message = f"{name!r} is no name of a table or column"
            raise ValueError(message)
    return each.table


def _key(table: str) -> tuple[str, ...]:
    with db.statement() as connection:
        found: Sequence[str] = connection.scalars(_KEY, {"table": table}).all()
    return tuple(found)
