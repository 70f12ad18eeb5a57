"""What one verifier remembers: who was here a moment ago, and what it answered to a scan."""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

REPLAY_WINDOW = timedelta(minutes=2)
ANSWERS_KEPT = timedelta(minutes=10)
# A gate passes a few people a second; the bounds are far above and keep memory finite.
MOST_SEEN = 65_536
MOST_ANSWERS = 16_384

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Showing = tuple[UUID, int | None]
Scan = tuple[str, bytes]


@dataclass
class Recent(Generic[Key, Value]):
    """The latest entries of a kind, so many at most and so old at most."""

    kept: timedelta
    most: int
    entries: OrderedDict[Key, tuple[datetime, Value]] = field(default_factory=OrderedDict)

    def get(self, key: Key, now: datetime) -> Value | None:
        """Return what is remembered; a clock set back forgets nothing."""
        entry = self.entries.get(key)
        return entry[1] if entry is not None and now - entry[0] < self.kept else None

    def put(self, key: Key, value: Value, now: datetime) -> None:
        """Remember one more, and forget what is too old or too many."""
        self.entries[key] = (now, value)
        self.entries.move_to_end(key)
        while len(self.entries) > self.most or now - self._oldest() >= self.kept:
            self.entries.popitem(last=False)

    def _oldest(self) -> datetime:
        return next(iter(self.entries.values()))[0]


def showing_key(jti: UUID, step: int | None) -> Showing:
    """Return what one showing is known by; a code without proof is one showing all its life."""
    return jti, step


def scan_key(scan_id: str, text: str, asked: Sequence[bytes]) -> Scan:
    """Return what a scan is known by: the same id for another code is another scan.

    So it is where the gate asks for something else by now: an answer to its last number is none
    to the next.
    """
    digest = hashlib.sha256()
    for part in (*asked, text.encode("utf-8", "surrogatepass")):
        digest.update(len(part).to_bytes(4, "big") + part)
    return scan_id, digest.digest()
