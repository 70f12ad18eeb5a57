"""How often an address or account may pass a door; Redis counts, else each process does."""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import redis
from flask import current_app, g
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

from citizen_cloud.cache import Cache
from citizen_cloud.errors import TooMany
from citizen_cloud.web.marks import Limit

EXTENSION = "citizen_cloud.limiter"


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


class Limiter:
    """Fixed windows in Redis; without Redis in memory, which is stricter per process only."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._memory = FixedWindowRateLimiter(MemoryStorage())
        self._shared: FixedWindowRateLimiter | None = None

    def hit(self, limit: Limit, door: str, key: str) -> Standing:
        """Count one passage. Raises ``TooMany`` with the seconds until the window turns."""
        item = _item(limit.rate)
        allowed, stats = self._count(item, door, key)
        reset_s = max(1, int(stats.reset_time - time.time()) + 1)
        if not allowed:
            raise TooMany(retry_after=reset_s)
        return Standing(
            policy=f"{item.amount};w={item.get_expiry()}",
            limit=item.amount,
            remaining=max(0, stats.remaining),
            reset_s=reset_s,
        )

    def _count(self, item: RateLimitItem, door: str, key: str) -> tuple[bool, Any]:
        if self._cache.is_usable:
            try:
                shared = self._strategy()
                return shared.hit(item, door, key), shared.get_window_stats(item, door, key)
            except (redis.RedisError, OSError) as error:
                self._cache.fail(error)
        return (
            self._memory.hit(item, door, key),
            self._memory.get_window_stats(item, door, key),
        )

    def _strategy(self) -> FixedWindowRateLimiter:
        if self._shared is None:
            client = cast("redis.Redis", self._cache.client)
            storage = RedisStorage(
                "redis://localhost",
                connection_pool=client.connection_pool,
            )
            self._shared = FixedWindowRateLimiter(storage)
        return self._shared


def enforce(limit: Limit, door: str, key: str) -> None:
    """Count a passage through a door of the current request."""
    limiter = cast("Limiter", current_app.extensions[EXTENSION])
    standing = limiter.hit(limit, door, f"{limit.by}:{key}")
    held: Standing | None = g.get("standing")
    if held is None or standing.remaining < held.remaining:
        g.standing = standing
