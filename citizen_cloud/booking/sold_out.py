"""That a slot is full is a public fact: for a second, each process remembers it.

Answered before authentication, without a statement. Whoever holds a place always goes to the
database, so that the retry of the request that took the last place finds its booking.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Connection

from citizen_cloud.booking.refusals import SlotFull

KEEP_S = 1.0
MOST_SLOTS = 2_000
# Above this the set of holders is not worth reading each second; the database answers.
MOST_HOLDERS = 20_000

_STATE = text(
    """
    SELECT s.taken >= s.capacity AS is_full,
           ARRAY(SELECT b.booked_by FROM booking.booking b
                  WHERE b.slot_id = s.id AND b.status IN ('held', 'booked', 'arrived', 'fulfilled')
                  LIMIT :most) AS holders
      FROM booking.slot s WHERE s.id = :slot_id
    """
)


@dataclass(frozen=True, slots=True)
class _Fact:
    until: float
    holders: frozenset[UUID]


class SoldOut:
    """Full slots of this process, each for one second and with its holders."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._facts: dict[UUID, _Fact] = {}
        self._lock = Lock()

    def knows(self, slot_id: UUID) -> bool:
        """Return whether anything is remembered of a slot: mostly not, and nobody need be asked."""
        return slot_id in self._facts

    def answer_for(self, slot_id: UUID, account_hint: UUID | None) -> SlotFull | None:
        """Return the refusal, or nothing when the database must be asked.

        ``account_hint`` is whom the unverified token names: lying costs the liar a statement.
        """
        fact = self._facts.get(slot_id)
        if fact is None or self._monotonic() >= fact.until or account_hint in fact.holders:
            return None
        return SlotFull(remaining=0, retry_after=1)

    def note(self, connection: Connection, slot_id: UUID) -> None:
        """Remember that a slot is full, if one read of counter and holders says so.

        Not asked again while it is remembered. The second counts from *before* the read.
        """
        began = self._monotonic()
        fact = self._facts.get(slot_id)
        if fact is not None and began < fact.until:
            return
        row = connection.execute(_STATE, {"slot_id": slot_id, "most": MOST_HOLDERS + 1}).first()
        if row is not None and row.is_full and len(row.holders) <= MOST_HOLDERS:
            self._keep(slot_id, _Fact(began + KEEP_S, frozenset(row.holders)))

    def _keep(self, slot_id: UUID, fact: _Fact) -> None:
        with self._lock:
            self._facts.pop(slot_id, None)
            self._facts[slot_id] = fact
            while len(self._facts) > MOST_SLOTS:
                self._facts.pop(next(iter(self._facts)))


sold_out = SoldOut()
