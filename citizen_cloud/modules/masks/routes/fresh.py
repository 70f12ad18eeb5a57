"""Answers that stay good for a moment: kept as bytes in the process, with a strong entity tag."""

import hashlib
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import orjson
from flask import Response, request

from citizen_cloud.web.paging import next_link

MOST_KEPT = 512
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class Page:
    """A list's page as it goes over the wire."""

    body: bytes
    fields: tuple[tuple[str, str], ...]


def page_of_rows(
    items: list[dict[str, object]], next_cursor: str | None, *, max_age_s: int, **extra: object
) -> Page:
    """Return a page from plain values: no schema walks over them, that is the point."""
    body = orjson.dumps({**extra, "items": items, "next_cursor": next_cursor})
    tag = hashlib.sha256(body).hexdigest()[: TAG_BYTES * 2]
    fields = [("ETag", f'"{tag}"'), ("Cache-Control", f"public, max-age={max_age_s}")]
    if next_cursor is not None:
        fields.append(("Link", next_link(next_cursor)))
    return Page(body, tuple(fields))


class Fresh:
    """Pages by key, each for ``seconds``; the oldest make room.

    When one is over, the first who asks reads it anew and the others still get the old one
    meanwhile: a thousand requests at once are one read.
    """

    def __init__(self, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._kept: dict[Hashable, tuple[float, Page]] = {}

    def held(self, key: Hashable) -> Page | None:
        """Return the page if it is still good; never reads."""
        held = self._kept.get(key)
        return held[1] if held is not None and self._monotonic() < held[0] else None

    def get(self, key: Hashable, read: Callable[[], Page]) -> Page:
        """Return the page, read at most ``seconds`` ago or, while one reads, a little longer."""
        now = self._monotonic()
        held = self._kept.get(key)
        if held is not None and now < held[0]:
            return held[1]
        if held is not None and now < held[0] + self._seconds:
            self._kept[key] = (now + self._seconds, held[1])
        try:
            page = read()
        except BaseException:
            self._kept.pop(key, None)
            raise
        self._keep(key, now, page)
        return page

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def _keep(self, key: Hashable, now: float, page: Page) -> None:
        self._kept.pop(key, None)
        while len(self._kept) >= MOST_KEPT:
            self._kept.pop(next(iter(self._kept)), None)
        self._kept[key] = (now + self._seconds, page)


def answer(page: Page) -> Response:
    """Answer a public page, or 304 where the caller has it (RFC 9110)."""
    response = Response(page.body, mimetype="application/json", headers=page.fields)
    if "HTTP_IF_NONE_MATCH" in request.environ:
        response.make_conditional(request)
    return response
