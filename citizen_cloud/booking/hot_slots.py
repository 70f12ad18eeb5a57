"""Which slots this process has met that are marked hot; a mark never changes."""

from uuid import UUID

MOST = 1_000


class HotSlots:
    """A bounded set that forgets its oldest member; forgetting one costs a single statement."""

    def __init__(self) -> None:
        self._slots: dict[UUID, None] = {}

    def __contains__(self, slot_id: UUID) -> bool:
        """Return whether the slot is known to be hot."""
        return slot_id in self._slots

    def note(self, slot_id: UUID) -> None:
        """Remember a hot slot."""
        self._slots[slot_id] = None
        while len(self._slots) > MOST:
            self._slots.pop(next(iter(self._slots)), None)


hot_slots = HotSlots()
