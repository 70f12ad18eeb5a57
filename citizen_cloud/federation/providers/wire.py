"""The way to a provider: time-outs, a deadline, bounded answers, no redirects, no words in logs."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
import structlog
from gevent import Timeout, monkey

from citizen_cloud.federation.refusals import ProviderUnavailable

TIMEOUT = httpx.Timeout(5.0, connect=2.0)
DEADLINE_S = 10.0
LONGEST_ANSWER = 65_536
RETRY_AFTER_S = 30

log = structlog.get_logger(__name__)
# A mini-program's secret travels in the address, and these write addresses down.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Answer(NamedTuple):
    """A whole answer of success (2xx) or refusal (4xx)."""

    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        """Return whether the provider agreed."""
        return httpx.codes.is_success(self.status)


class _WithoutEnd(Exception):
    """The answer is too long, or drips."""


class Wire:
    """Asks one provider. A code works once, so nothing is asked twice."""

    def __init__(
        self, provider: str, *, timeout: httpx.Timeout = TIMEOUT, deadline_s: float = DEADLINE_S
    ) -> None:
        self._provider = provider
        self._deadline_s = deadline_s
        # Unpacked answers only: what is read is as long as what was sent.
        self._client = httpx.Client(
            timeout=timeout, headers={"Accept-Encoding": "identity"}, follow_redirects=False
        )

    def ask(self, method: str, url: str, **options: Any) -> Answer:
        """Return the answer; raise ``ProviderUnavailable`` for anything but 2xx and 4xx."""
        try:
            with (
                deadline(self._deadline_s),
                self._client.stream(method, url, **options) as answer,
            ):
                content = self._read(answer)
        except (httpx.HTTPError, httpx.InvalidURL, _WithoutEnd) as error:
            # The type only: the words of an error may quote what was sent.
            raise self.failed(type(error).__name__.strip("_")) from None
        is_busy = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        if is_busy or not (answer.is_success or answer.is_client_error):
            raise self.failed(f"status {answer.status_code}")
        return Answer(answer.status_code, content)

    def _read(self, answer: httpx.Response) -> bytes:
        ends_at = time.monotonic() + self._deadline_s
        content = b""
        for chunk in answer.iter_raw():
            content += chunk
            if len(content) > LONGEST_ANSWER or time.monotonic() > ends_at:
                raise _WithoutEnd
        return content

    def failed(self, reason: str) -> ProviderUnavailable:
        """Log why, in our own words, and return the refusal to raise."""
        log.warning("provider_failed", provider=self._provider, reason=reason)
        return ProviderUnavailable(retry_after=RETRY_AFTER_S)

    def object_of(self, content: bytes) -> dict[str, Any]:
        """Return the JSON object in an answer, whatever media type it claims to be."""
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self.failed("no JSON object")
        return found


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound the whole exchange in gevent's workers, header fields that drip included."""
    if not monkey.is_module_patched("socket"):
        yield
        return
    with Timeout(seconds, _WithoutEnd):
        yield
