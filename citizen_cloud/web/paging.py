"""One page of a list: body with ``next_cursor``, and RFC 8288 ``Link`` beside it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Response, request
from marshmallow import Schema


def page(schema: Schema, items: Sequence[Any], next_cursor: str | None, **extra: Any) -> Response:
    """Answer a page; the cursor of the next one also as ``Link: <…>; rel="next"``."""
    content = schema.dump({"items": items, "next_cursor": next_cursor, **extra})
    response = Response(orjson.dumps(content), mimetype="application/json")
    add_link(response, next_cursor)
    return response


def add_link(response: Response, next_cursor: str | None) -> None:
    """Name the next page in the Link header field."""
    if next_cursor is not None:
        response.headers["Link"] = next_link(next_cursor)


def next_link(next_cursor: str) -> str:
    """Return the Link header field that names the page behind this request's."""
    query = urlencode({**request.args.to_dict(), "cursor": next_cursor})
    return f'<{request.path}?{query}>; rel="next"'
