"""What still lies under which key, and which keys nothing needs any more."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.cli.keys.declared import Table
from citizen_cloud.crypto import Crypto, KeyRing, Undecryptable
from citizen_cloud.manifest import Blind, Sealed

BATCH = 1_000
UNKNOWN = "?"
# A count of everything may take long; it locks nothing.
_PATIENCE = text("SET LOCAL statement_timeout = 0")


@dataclass
class Standing:
    """Values by place and key of the field ring and of the look-up ring."""

    fields: dict[str, Counter[str]] = field(default_factory=dict)
    lookups: dict[str, Counter[str]] = field(default_factory=dict)

    def needed(self, ring: str) -> Counter[str]:
        """Return how many values lie under each key of a ring."""
        counted = self.fields if ring == "field" else self.lookups
        return sum(counted.values(), Counter())


def count(tables: Iterable[Table]) -> Standing:
    """Count every declared value; blind indexes are told apart by computing them again."""
    found = Standing()
    rings = crypto.current()
    for table in tables:
        for cipher in table.sealed:
            found.fields[f"{table.name}.{cipher.column}"] = _by_kid(cipher)
        for index in table.blind:
            found.lookups[f"{table.name}.{index.column}"] = Counter()
        if table.blind:
            _compare(table, rings, found)
    return found


def _by_kid(cipher: Sealed) -> Counter[str]:
    column = cipher.column
    sql = (
        f"SELECT split_part(encode(substring({column} FROM 1 FOR 40), 'escape'), '.', 1) AS kid, "  # noqa: S608 - declared names
        f"count(*) AS number FROM {cipher.table} WHERE {column} IS NOT NULL GROUP BY 1"
    )
    with db.transaction() as session:
        session.execute(_PATIENCE)
        return Counter({row.kid: row.number for row in session.execute(text(sql))})


def _compare(table: Table, rings: Crypto, found: Standing) -> None:
    places = {each.column: each.place for each in table.sealed}
    for rows in table.rows(BATCH):
        for row in rows:
            for index in table.blind:
                if row[index.column] is not None:
                    kid = _kid_of(index, places[index.sealed], dict(row), rings)
                    found.lookups[f"{table.name}.{index.column}"][kid] += 1


def _kid_of(index: Blind, place: str, row: dict[str, object], rings: Crypto) -> str:
    sealed = row[index.sealed]
    if not isinstance(sealed, bytes):
        return UNKNOWN
    try:
        opened = rings.open(sealed, place=place.format(**row))
    except Undecryptable:
        return UNKNOWN
    hashes = rings.lookups_of(index.kind.format(**row), index.value(opened, row))
    by_hash = dict(zip(hashes, rings.lookups.keys, strict=True))
    held = row[index.column]
    return by_hash.get(held, UNKNOWN) if isinstance(held, bytes) else UNKNOWN


def report(found: Standing, rings: Crypto) -> list[str]:
    """Return the table and the verdict, line by line."""
    lines = [f"{'ring':<8}{'key':<12}{'column':<44}{'values':>10}"]
    for name, counted in (("field", found.fields), ("lookup", found.lookups)):
        lines += [
            f"{name:<8}{kid:<12}{place:<44}{number:>10}"
            for place, by_kid in counted.items()
            for kid, number in sorted(by_kid.items())
        ]
    for name, ring in (("field", rings.fields), ("lookup", rings.lookups)):
        lines += verdicts(name, ring, found.needed(name))
    return lines


def verdicts(name: str, ring: KeyRing, needed: Counter[str]) -> list[str]:
    """Return a sentence for each key of a ring, and for values under keys that are not held."""
    present = ring.primary[0]
    lines = [f"{name} {present}: writes"]
    for kid in ring.keys:
        if kid != present:
            left = needed[kid]
            is_free = not left and not needed[UNKNOWN]
            said = "safe to remove" if is_free else f"still needed by {left} values"
            lines.append(f"{name} {kid}: {said}")
    for kid, number in sorted(needed.items()):
        if kid not in ring.keys:
            lines.append(f"{name} {kid}: not held; {number} values cannot be read or compared")
    return lines
