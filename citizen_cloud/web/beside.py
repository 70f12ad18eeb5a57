"""Heavy work beside the event loop: in gevent's own thread pool, a few pieces at a time."""

import threading
from collections.abc import Callable
from typing import TypeVar

import gevent
from gevent import monkey

from citizen_cloud.errors import Unavailable

Answer = TypeVar("Answer")


class Beside:
    """Runs work that would hold up every other request of the worker.

    At most ``at_once`` pieces run together; whoever waits longer than ``patience_s`` for a place
    is told so (``Unavailable``) instead of queueing without end.
    """

    def __init__(self, *, at_once: int, patience_s: float) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._patience_s = patience_s

    def run(self, work: Callable[[], Answer]) -> Answer:
        """Return what the work returns. Raises ``Unavailable`` when too much is waiting."""
        if not self._places.acquire(timeout=self._patience_s):
            raise Unavailable(retry_after=2)
        try:
            if not monkey.is_module_patched("threading"):
                return work()
            answer: Answer = gevent.get_hub().threadpool.apply(work)
            return answer
        finally:
            self._places.release()
