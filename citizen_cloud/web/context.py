"""Facts of the present request that every answer carries: language and trace."""

import re
import secrets
from functools import lru_cache
from typing import TYPE_CHECKING, cast

from flask import request

from citizen_cloud.text import Language

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Where a request's facts lie beside it: the WSGI environment, which costs no look for a context.
TRACE, STANDING = "citizen_cloud.trace", "citizen_cloud.standing"
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
LONGEST_HEADER = 200


@lru_cache(maxsize=1024)
def preferred(header: str) -> Language:
    """Return the better of zh and en for an Accept-Language header (RFC 9110); zh if neither."""
    best: tuple[float, Language] = (0.0, "zh")
    for part in header.split(","):
        tag, _, weight = part.strip().lower().partition(";q=")
        language = tag.split("-")[0]
        try:
            quality = float(weight or "1")
        except ValueError:
            continue
        if language in ("zh", "en") and quality > best[0]:
            best = (quality, cast("Language", language))
    return best[1]


def language() -> Language:
    """Return the language of this request's answer."""
    header = request.environ.get("HTTP_ACCEPT_LANGUAGE")
    return preferred(header[:LONGEST_HEADER]) if header else "zh"


def trace_id() -> str:
    """Return the W3C trace id of this request, drawn where the caller sent none."""
    return trace_id_of(request.environ)


def trace_id_of(environ: "WSGIEnvironment") -> str:
    """Return the trace id of the request with this environment."""
    held = environ.get(TRACE)
    if held is None:
        sent = environ.get("HTTP_TRACEPARENT")
        match = _TRACEPARENT.fullmatch(sent) if sent else None
        held = environ[TRACE] = match[1] if match else secrets.token_hex(16)
    return cast("str", held)


def request_id_of(environ: "WSGIEnvironment") -> str | None:
    """Return the caller's X-Request-ID where it is plain."""
    sent = environ.get("HTTP_X_REQUEST_ID")
    return sent if sent and _REQUEST_ID.fullmatch(sent) else None


def address() -> str:
    """Return the peer's network address; ProxyFix has applied the trusted proxies, if any."""
    return request.remote_addr or "-"
