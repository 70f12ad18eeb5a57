"""Orders to erase, as they stand in the chain: which entries are blank by right."""

import base64
import json
from collections.abc import Mapping
from itertools import chain

from citizen_cloud.audit.rules import REST_BYTES
from citizen_cloud.audit.services.walking import Fault

ORDER = "audit.redacted"


class Orders:
    """Takes the acts of erasure as they come; judges the blank entries at the end."""

    def __init__(self) -> None:
        # By number what is left by the orders that name it, nearly always one, end to end.
        self._vouched: dict[int, bytes] = {}

    def take(self, number: int | None, payload: str | None) -> None:
        """Remember what an order vouches for; it erases only what stood before it."""
        try:
            told = json.loads(payload or "{}")
            rests = base64.b64decode(told["rest"], validate=True)
            spans = [range(first, last + 1) for first, last in told["ranges"]]
            length = REST_BYTES * sum(map(len, spans))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            # No order of ours: what it was to cover stays without one.
            return
        if len(rests) != length:
            return
        for place, erased in enumerate(chain.from_iterable(spans)):
            if number is None or erased < number:
                at = place * REST_BYTES
                left = rests[at : at + REST_BYTES]
                # Whoever writes an order for what is not erased spoils no order that is true.
                if not self._is_vouched(erased, left):
                    self._vouched[erased] = self._vouched.get(erased, b"") + left

    def judge(self, blank: Mapping[int, tuple[str, int, bytes]]) -> tuple[int, list[Fault]]:
        """Return how many entries are redacted, and those that no order covers as they are."""
        faults = []
        for number, (entry_id, sealed_us, left) in blank.items():
            if not self._is_vouched(number, left):
                kind = "edited" if number in self._vouched else "erased_without_order"
                faults.append(
                    Fault(number=number, kind=kind, entry_id=entry_id, sealed_us=sealed_us)
                )
        return len(blank) - len(faults), faults

    def _is_vouched(self, number: int, left: bytes) -> bool:
        said = self._vouched.get(number, b"")
        steps = range(0, len(said), REST_BYTES)
        return any(said[at : at + REST_BYTES] == left for at in steps)
