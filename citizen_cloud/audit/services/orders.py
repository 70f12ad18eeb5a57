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
        self._vouched: dict[int, bytes] = {}

    def take(self, number: int | None, payload: str | None) -> None:
        """Remember what an order vouches for; it erases only what stood before it."""
        try:
            told = json.loads(payload or "{}")
            rests = base64.b64decode(told["rest"], validate=True)
            spans = [range(first, last + 1) for first, last in told["ranges"]]
        except (ValueError, TypeError, KeyError):
            # No order of ours: what it was to cover stays without one.
            return
        if len(rests) != REST_BYTES * sum(map(len, spans)):
            return
        for place, erased in enumerate(chain.from_iterable(spans)):
            if number is None or erased < number:
                at = place * REST_BYTES
                self._vouched.setdefault(erased, rests[at : at + REST_BYTES])

    def judge(self, blank: Mapping[int, tuple[str, int, bytes]]) -> tuple[int, list[Fault]]:
        """Return how many entries are redacted, and those that no order covers as they are."""
        faults = []
        for number, (entry_id, sealed_us, left) in blank.items():
            said = self._vouched.get(number)
            if said != left:
                kind = "erased_without_order" if said is None else "edited"
                faults.append(
                    Fault(number=number, kind=kind, entry_id=entry_id, sealed_us=sealed_us)
                )
        return len(blank) - len(faults), faults
