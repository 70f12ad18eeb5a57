"""Conditional changes by a row's version (RFC 9110 ``If-Match``)."""

import re

from flask import Request

from citizen_cloud.errors import Malformed

_TAG = re.compile(r'"v([0-9]{1,9})"', re.ASCII)


def version_tag(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"v{version}"'


def expected_version(request: Request) -> int | None:
    """Return the version the caller read, None without ``If-Match``. Raises ``Malformed``."""
    sent = request.headers.get("If-Match")
    if sent is None or sent == "*":
        return None
    match = _TAG.fullmatch(sent)
    if match is None:
        raise Malformed
    return int(match[1])
