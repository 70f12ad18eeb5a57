"""The port to whoever knows whether a name belongs to a document.

``HttpVerifier`` asks an upstream: ``POST {document_type, document_number, name}`` with a bearer
token, answered by ``{"match": true | false}``. ``FormatVerifier`` stands in for it on a developer's
machine and believes every well-formed pair; production does not start with it.
"""

from typing import Protocol

import httpx
import structlog

from citizen_cloud.accounts.refusals import VerifierUnavailable
from citizen_cloud.config import Settings, SettingsError

TIMEOUT_S = 5.0
# The question changes nothing upstream, so asking twice is safe.
ATTEMPTS = 2

log = structlog.get_logger(__name__)


class Verifier(Protocol):
    """Compares a name with a document."""

    name: str

    def matches(self, *, document_type: str, number: str, name: str) -> bool:
        """Return whether they belong together. Raises ``VerifierUnavailable``."""
        ...


class FormatVerifier:
    """Believe what is well-formed; for embedded runs only."""

    name = "format"

    def matches(self, *, document_type: str, number: str, name: str) -> bool:
        """Return True: the rules have judged the form already."""
        return bool(document_type and number and name)


class HttpVerifier:
    """Ask the upstream, with a time-out and one repetition."""

    name = "upstream"

    def __init__(
        self, url: str, token: str | None, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url = url
        self._client = httpx.Client(
            timeout=TIMEOUT_S, headers=headers, transport=transport, follow_redirects=False
        )

    def matches(self, *, document_type: str, number: str, name: str) -> bool:
        """Return the upstream's answer; anything but a clear one is ``VerifierUnavailable``."""
        asked = {"document_type": document_type, "document_number": number, "name": name}
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._ask(asked, attempt)
            if answer is not None:
                return answer
        raise VerifierUnavailable(retry_after=30)

    def _ask(self, asked: dict[str, str], attempt: int) -> bool | None:
        try:
            answer = self._client.post(self._url, json=asked)
            answer.raise_for_status()
            match = answer.json()["match"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            # The type only: the words of an error may quote what was sent.
            log.warning("verifier_failed", attempt=attempt, error=type(error).__name__)
            return None
        return match if isinstance(match, bool) else None


def from_settings(settings: Settings) -> Verifier:
    """Return the verifier of an installation; only an embedded one may do without upstream."""
    if settings.verifier_url is not None:
        return HttpVerifier(settings.verifier_url, settings.verifier_token)
    if settings.is_production:
        raise SettingsError("production needs CITIZEN_CLOUD_VERIFIER_URL")
    return FormatVerifier()


_current: list[Verifier] = []


def install(verifier: Verifier) -> None:
    """Use a verifier from now on."""
    _current[:] = [verifier]


def current() -> Verifier:
    """Return the verifier; an unconfigured process refuses to believe anybody."""
    if not _current:
        raise VerifierUnavailable(retry_after=30)
    return _current[0]
