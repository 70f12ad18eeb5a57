"""What this process tells verifiers, read at most every few seconds and kept in memory.

Kept also while the database does not answer: a gate needs it most on just that day, and a
snapshot says itself how old it is.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

KEEP_S = 5.0

Opening = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, kw_only=True)
class Published:
    """The newest snapshot, as gates keep it."""

    number: int
    issued_at: datetime
    expires_at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """What verifiers are told now; no snapshot before the first was published."""

    snapshot: Published | None
    revoked: frozenset[str]


_NEWEST = text(
    """
    SELECT number, issued_at, expires_at, text FROM credentials.snapshot
     WHERE number > :held ORDER BY number DESC LIMIT 1
    """
)
_REVOKED = text("SELECT kid FROM credentials.key_revocation")


class Kept:
    """One process's copy. While one reads, the others get what was kept."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._told: Told | None = None
        self._until = 0.0

    def get(self, opening: Opening) -> Told:
        """Return what was read in the last seconds, else read it."""
        now = self._monotonic()
        held = self._told
        if held is not None and now < self._until:
            return held
        self._until = now + KEEP_S
        try:
            with opening() as connection:
                told = read(connection, held)
        except (DBAPIError, PoolTimeoutError):
            if held is None:
                self._until = 0.0
                raise
            return held
        self._told = told
        return told

    def clear(self) -> None:
        """Forget everything."""
        self._told = None


def read(connection: Session | Connection, held: Told | None = None) -> Told:
    """Read anew; the text only where a newer snapshot than the one held was published."""
    snapshot = held.snapshot if held is not None else None
    newest = connection.execute(_NEWEST, {"held": snapshot.number if snapshot else -1})
    row = newest.mappings().first()
    return Told(
        snapshot=snapshot if row is None else Published(**row),
        revoked=frozenset(connection.scalars(_REVOKED)),
    )


_kept = Kept()


def told(opening: Opening) -> Told:
    """Return what verifiers are told now; ``opening`` is ``db.statement``."""
    return _kept.get(opening)


def current_snapshot(opening: Opening) -> Published | None:
    """Return the newest snapshot, at most five seconds late; None before the first."""
    return told(opening).snapshot


def forget() -> None:
    """Read anew at the next look: for tests, which share a process."""
    _kept.clear()
