"""Where a client may be answered: exact addresses, registered before."""

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

LONGEST = 500
LOOPBACK = frozenset({"127.0.0.1", "::1"})
# RFC 3986: what an address consists of, without blanks, quotes, backslashes and wildcards
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]{1,500}", re.ASCII)
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def _parts(uri: str) -> SplitResult | None:
    if not _PLAIN.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        # Reading the port checks it.
        is_sound = parts.port != 0
    except ValueError:
        return None
    return parts if is_sound else None


def is_acceptable(uri: str, *, client_type: str) -> bool:
    """Return whether an address may be registered: https, or the own machine for a native app."""
    parts = _parts(uri)
    if parts is None or parts.fragment or "#" in uri or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return bool(_HOST.fullmatch(parts.hostname or ""))
    return client_type == "native" and parts.scheme == "http" and parts.hostname in LOOPBACK


def is_registered(uri: str, registered: Sequence[str], *, client_type: str) -> bool:
    """Return whether an address is one of those registered, character by character.

    A native app listens on the loopback at whatever port it gets (RFC 8252 7.3).
    """
    if uri in registered:
        return True
    if client_type != "native" or not is_acceptable(uri, client_type="native"):
        return False
    return _without_port(uri) in {_without_port(known) for known in registered} - {None}


def _without_port(uri: str) -> tuple[str | None, str, str] | None:
    parts = _parts(uri)
    if parts is None or parts.scheme != "http" or parts.hostname not in LOOPBACK:
        return None
    return parts.hostname, parts.path, parts.query


def sector_of(uris: Sequence[str]) -> str | None:
    """Return the one host of all addresses (OpenID Connect Core 8.1); None where they differ."""
    hosts = {parts.hostname for uri in uris if (parts := _parts(uri)) is not None}
    return hosts.pop() if len(hosts) == 1 else None


def is_sector(text: str) -> bool:
    """Return whether a text is a host name."""
    return bool(_HOST.fullmatch(text))
