"""A request to one of OAuth's endpoints, read strictly before any grant sees it."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload, OAuth2Request

LONGEST = 2_000
LONGEST_TOKEN = 8_000
MOST = 30
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
# Authlib repeats it in its refusal, and cannot if it holds what an answer must not (RFC 6749 5.2).
_WORDS = re.compile("[A-Za-z0-9_ ]{0,100}", re.ASCII)
# Parameters that hold a signed token
_LONG = frozenset({"id_token_hint", "token"})


class Payload(OAuth2Payload):  # type: ignore[misc]
    """Parameters: the first value of each, and all of them where a grant looks for repetition."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._lists: dict[str, list[str]] = {}
        for name, value in pairs:
            self._lists.setdefault(name, []).append(value)

    @property
    def data(self) -> dict[str, str]:
        """Return each parameter's value; an empty one counts as not sent (RFC 6749 3.1)."""
        return {name: values[0] for name, values in self._lists.items() if values[0]}

    @property
    def datalist(self) -> dict[str, list[str]]:
        """Return each parameter's values."""
        return self._lists


class Incoming(OAuth2Request):  # type: ignore[misc]
    """One request. The proxy in front ends TLS, so the scheme seen here says nothing."""

    def __init__(
        self, method: str, pairs: Iterable[tuple[str, str]], headers: Mapping[str, str]
    ) -> None:
        super().__init__(method, "https://provider/", headers=headers)
        self.payload = Payload(pairs)

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters; doors of the token kind take them from the body alone."""
        data: dict[str, str] = self.payload.data
        return data

    @property
    def args(self) -> dict[str, str]:
        """Return the parameters."""
        return self.form

    def check(self) -> None:
        """Refuse what no honest client sends. Raises ``InvalidRequestError``."""
        lists = self.payload.datalist
        if len(lists) > MOST:
            raise InvalidRequestError("Too many parameters.")
        for name, values in lists.items():
            longest = LONGEST_TOKEN if name in _LONG else LONGEST
            # In bytes: a state comes back percent-encoded, and has to fit into an address.
            sizes = [len(value.encode("utf-8", "surrogatepass")) for value in values]
            if max(sizes) > longest or any(_CONTROL.search(value) for value in values):
                raise InvalidRequestError("A parameter is too long or holds control characters.")
        if not _WORDS.fullmatch(self.form.get("response_type", "")):
            raise InvalidRequestError("'response_type' cannot be read.")

    def check_once(self) -> None:
        """Refuse a repeated parameter (RFC 6749 3.2), and a client that proves itself twice."""
        self.check()
        if any(len(values) > 1 for values in self.payload.datalist.values()):
            raise InvalidRequestError("A parameter is repeated.")
        sent = self.headers.get("Authorization") or ""
        if sent.lower().startswith("basic "):
            _check_basic(sent.partition(" ")[2])
            if "client_secret" in self.form:
                raise InvalidRequestError("Use one way of client authentication.")


def _check_basic(credentials: str) -> None:
    try:
        base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError("The Authorization header cannot be read.") from error
