"""One step of the walk: is this link where it was put, and does its entry say what it said?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from citizen_cloud.audit.rules import (
    GENESIS,
    MOVED,
    Linking,
    Told,
    digest,
    first_digest,
    first_link,
    link,
    rest,
)

# Columns of the seal before those of the entry: number, entry, digest, prev, hash, time, salt.
SEAL_WIDTH = 7


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with one row."""

    number: int
    kind: str
    entry_id: str | None = None
    sealed_us: int | None = None
    until: int | None = None


class Walk:
    """Takes the seals in the order of their numbers and keeps what it found wrong.

    A row is held to its own hash, and to the one before it. Where a row is at fault the chain is
    taken up again by what the next one says, so that one change is told once, where it was made.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        # Erased entries by number: their id, the time of sealing, and a hash of what is left.
        self.blank: dict[int, tuple[str, int, bytes]] = {}
        self.count = 0
        self.last = 0
        self.newest_xid = -1
        self._before: Sequence[Any] = ()
        self._prev: bytes | None = GENESIS
        self._linking: Linking = link
        self._is_first_format = False

    def take(self, row: Sequence[Any]) -> bool:
        """Judge one row; return whether seal and entry are as they were written."""
        self.count += 1
        number, prev, after = row[0], row[3], row[4]
        self._count_up(number)
        is_linked = self._is_linked(row)
        if not is_linked:
            self._fault(row, "edited_seal")
        elif self._prev is not None and prev != self._prev and self._before:
            # This link vouches for another row before it than the one that stands there.
            self._fault(self._before, "rewritten")
        elif self._prev is not None and prev != self._prev:
            self._fault(row, "rewritten")
        kind = self._of_entry(row, is_linked=is_linked)
        if kind is not None:
            self._fault(row, kind)
        if number > 0:
            self.last, self._before = number, row
            self._prev = after if is_linked else None
        return is_linked and kind is None

    def is_missing(self, number: int) -> bool:
        """Return whether no seal has this number."""
        return any(
            fault.kind == "missing" and fault.number <= number <= (fault.until or 0)
            for fault in self.faults
        )

    def _count_up(self, number: int) -> None:
        """Notice numbers that are passed over; what stands behind them is taken at its word."""
        if number > self.last + 1:
            gap = Fault(number=self.last + 1, kind="missing", until=number - 1)
            self.faults.append(gap)
            self._prev = None

    def _is_linked(self, row: Sequence[Any]) -> bool:
        number, _, of_entry, prev, after, sealed_us, *_ = row
        if self._linking(prev, number, of_entry, sealed_us) == after:
            return True
        other = first_link if self._linking is link else link
        if other(prev, number, of_entry, sealed_us) != after:
            return False
        self._linking = other
        return True

    def _of_entry(self, row: Sequence[Any], *, is_linked: bool) -> str | None:
        number, entry_id, of_entry, prev, after, sealed_us, salt = row[:SEAL_WIDTH]
        told = row[SEAL_WIDTH:]
        if told[0] is None:
            return "deleted"
        self.newest_xid = told[1] if told[5] == MOVED else max(self.newest_xid, told[1])
        if salt is None:
            if told[-1] is not None:
                return "edited"
            self.blank[number] = (entry_id, sealed_us, rest(Told(*told)))
            return None
        found = self._digest(told, salt, of_entry)
        if found == of_entry:
            return None
        # Where only the seal's copy of the digest was changed, the entry's own still fits.
        is_seal_only = not is_linked and self._linking(prev, number, found, sealed_us) == after
        return None if is_seal_only else "edited"

    def _digest(self, told: Sequence[Any], salt: bytes, wanted: bytes) -> bytes:
        """Return the digest in the format that fits, in the present one where none does."""
        if self._is_first_format and first_digest(Told(*told), salt) == wanted:
            return wanted
        found = digest(told, salt)
        if found != wanted and first_digest(Told(*told), salt) == wanted:
            self._is_first_format = True
            return wanted
        return found

    def _fault(self, row: Sequence[Any], kind: str) -> None:
        fault = Fault(number=row[0], kind=kind, entry_id=row[1], sealed_us=row[5])
        self.faults.append(fault)
