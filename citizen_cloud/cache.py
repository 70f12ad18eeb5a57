"""Redis as a cache only: it may be slow, wrong, empty or gone, and callers go on.

Time-outs are short and a breaker keeps a dead Redis from costing every request its time-out.
Values are JSON, never pickle, so that whoever can write to Redis cannot run code here.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import redis
import structlog

TIMEOUT_S = 0.05
BREAK_S = 2.0

log = structlog.get_logger(__name__)


class Cache:
    """``get`` and ``put`` that never raise; a failure is a miss."""

    def __init__(self, url: str | None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._open_again_at = 0.0
        self.client = None if url is None else _client(url)

    @property
    def is_usable(self) -> bool:
        """False without a Redis, and for two seconds after it failed."""
        return self.client is not None and self._monotonic() >= self._open_again_at

    def get(self, key: str) -> Any | None:
        """Return the value, or None for a miss of any kind."""
        raw = self.attempt(lambda client: client.get(key))
        try:
            return None if raw is None else json.loads(raw)
        except ValueError:
            return None

    def put(self, key: str, value: Any, *, seconds: int) -> None:
        """Keep a JSON value for some seconds, if that can be done."""
        self.attempt(lambda client: client.set(key, json.dumps(value), ex=seconds))

    def attempt(self, action: Callable[["redis.Redis"], Any]) -> Any | None:
        """Run one action; on any Redis failure break the circuit and return None."""
        if self.client is None or not self.is_usable:
            return None
        try:
            return action(self.client)
        except (redis.RedisError, OSError) as error:
            self.fail(error)
            return None

    def fail(self, error: Exception) -> None:
        """Stop asking Redis for a moment."""
        self._open_again_at = self._monotonic() + BREAK_S
        log.warning("redis_unusable", error=type(error).__name__)


def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=None,
        retry_on_error=[],
        protocol=2,
    )
