"""How often an address or account may pass a door; Redis counts, else each process does.

Fixed windows that begin with the first passage, counted in one round trip: asking Redis for the
count, the standing and the end of the window one after another cost a tenth of a booking.

A round trip still costs as much as half a statement, and most accounts pass a door once a minute.
So each process lets an account's first twentieth of a limit pass on its own word and tells Redis
with the next: the whole may be exceeded by a twentieth for each process, and no small limit
(below 20) nor one of an address by anything.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Any, cast

from flask import current_app, request
from limits import RateLimitItem, parse

from citizen_cloud.cache import Cache
from citizen_cloud.errors import TooMany
from citizen_cloud.web.context import STANDING
from citizen_cloud.web.marks import Limit

EXTENSION = "citizen_cloud.limiter"
# A counter that somebody left without an end gets one here, or its door would stay shut.
COUNT = """
local used = redis.call('INCRBY', KEYS[1], ARGV[2])
local left = redis.call('TTL', KEYS[1])
if left < 0 then
    left = tonumber(ARGV[1])
    redis.call('EXPIRE', KEYS[1], left)
end
return {used, left}
"""
FEWEST_SWEPT = 1_024
# Of an account's limit, what a process may let pass before it tells the others.
SHARE = 20


@dataclass(frozen=True)
class Standing:
    """What is left of a limit, for the RateLimit header fields."""

    policy: str
    limit: int
    remaining: int
    reset_s: int


@lru_cache(maxsize=256)
def _item(rate: str) -> RateLimitItem:
    return parse(rate)


class Windows:
    """Counters in this process's memory; ended ones leave when their number has doubled."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._held: dict[str, tuple[int, float]] = {}
        self._sweep_at = FEWEST_SWEPT

    def __len__(self) -> int:
        """Return how many counters are held."""
        return len(self._held)

    def count(self, key: str, length_s: int) -> tuple[int, int]:
        """Count one passage; return how many there were, and the seconds until it starts anew."""
        now = self._monotonic()
        used, ends_at = self._held.get(key, (0, 0.0))
        if now >= ends_at:
            used, ends_at = 0, now + length_s
        self._held[key] = (used + 1, ends_at)
        if len(self._held) > self._sweep_at:
            self._held = {k: held for k, held in self._held.items() if held[1] > now}
            self._sweep_at = max(FEWEST_SWEPT, 2 * len(self._held))
        return used + 1, ceil(ends_at - now)


class Untold:
    """What this process let pass on its own word, and what the others had told when it last asked.

    Like ``Windows``, in this process's memory.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # By key: passages known of, of these not yet told, and when the window ends.
        self._held: dict[str, tuple[int, int, float]] = {}
        self._sweep_at = FEWEST_SWEPT

    def __len__(self) -> int:
        """Return how many counters are held."""
        return len(self._held)

    def count(self, key: str, length_s: int, most: int) -> tuple[int, int] | None:
        """Count one passage on this process's word; None where ``most`` are untold already."""
        now = self._monotonic()
        used, untold, ends_at = self._held.get(key, (0, 0, 0.0))
        if now >= ends_at:
            used, untold, ends_at = 0, 0, now + length_s
        if untold >= most:
            return None
        self._hold(key, (used + 1, untold + 1, ends_at), now)
        return used + 1, ceil(ends_at - now)

    def untold(self, key: str) -> int:
        """Return how many passages the others do not know of."""
        return self._held.get(key, (0, 0, 0.0))[1]

    def told(self, key: str, used: int, left_s: int) -> None:
        """Go on from what Redis answered."""
        now = self._monotonic()
        self._hold(key, (used, 0, now + left_s), now)

    def _hold(self, key: str, counted: tuple[int, int, float], now: float) -> None:
        self._held[key] = counted
        if len(self._held) > self._sweep_at:
            self._held = {k: held for k, held in self._held.items() if held[2] > now}
            self._sweep_at = max(FEWEST_SWEPT, 2 * len(self._held))


class Limiter:
    """Counts in Redis; without Redis in memory, where each process allows the whole number."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._memory = Windows()
        self._untold = Untold()
        self._script: Any = cache.client.register_script(COUNT) if cache.client else None

    def hit(self, limit: Limit, door: str, key: str) -> Standing:
        """Count one passage. Raises ``TooMany`` with the seconds until the window turns."""
        item = _item(limit.rate)
        length_s = item.get_expiry()
        alone = item.amount // SHARE if limit.by == "account" else 0
        used, left_s = self._count(f"limit:{door}:{limit.rate}:{key}", length_s, alone)
        reset_s = max(1, left_s)
        if used > item.amount:
            raise TooMany(retry_after=reset_s)
        return Standing(
            policy=f"{item.amount};w={length_s}",
            limit=item.amount,
            remaining=item.amount - used,
            reset_s=reset_s,
        )

    def _count(self, key: str, length_s: int, alone: int) -> tuple[int, int]:
        """Ask Redis where it answers something sensible, else count here."""
        if not self._cache.is_usable:
            return self._memory.count(key, length_s)
        counted = self._untold.count(key, length_s, alone) if alone else None
        if counted is not None:
            return counted
        passages = 1 + self._untold.untold(key)
        answer = self._cache.attempt(lambda _: self._script(keys=[key], args=[length_s, passages]))
        if answer is None:
            return self._memory.count(key, length_s)
        used, left_s = int(answer[0]), int(answer[1])
        if alone:
            self._untold.told(key, used, left_s)
        return used, left_s


def enforce(limit: Limit, door: str, key: str) -> None:
    """Count a passage through a door of the current request."""
    limiter = cast("Limiter", current_app.extensions[EXTENSION])
    standing = limiter.hit(limit, door, f"{limit.by}:{key}")
    environ = request.environ
    held: Standing | None = environ.get(STANDING)
    if held is None or standing.remaining < held.remaining:
        environ[STANDING] = standing
