"""What surrounds every request: its time and count, and the fields that every answer carries.

Outside Flask's hooks, where an answer's header fields are a plain list: adding one there costs a
tenth of what it costs before.
"""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from flask import Flask

from citizen_cloud.web.context import STANDING, request_id_of, trace_id_of
from citizen_cloud.web.headers import SAFETY, limit_fields
from citizen_cloud.web.metrics import Meter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXTENSION = "citizen_cloud.around"
Fields = tuple[tuple[str, str], ...]
_NO_STORE = ("Cache-Control", "no-store")
_ALWAYS: Fields = tuple(SAFETY.items())


def install(app: Flask) -> None:
    """Surround an application."""
    further: dict[str, Fields] = {}
    app.extensions[EXTENSION] = further
    app.wsgi_app = surrounded(app.wsgi_app, further)  # type: ignore[method-assign, assignment]


def share(app: Flask, rules: Iterable[str], fields: Mapping[str, str]) -> None:
    """Let every answer at these paths, refusals too, carry other fields than all the others do."""
    further = cast("dict[str, Fields]", app.extensions[EXTENSION])
    for rule in rules:
        further[rule] = tuple({**SAFETY, **fields}.items())


def surrounded(inner: "WSGIApplication", further: Mapping[str, Fields]) -> "WSGIApplication":
    """Return the application with what surrounds it."""
    meter = Meter()

    def serve(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began = time.perf_counter()

        def start(status: str, fields: list[tuple[str, str]], *error: Any) -> Any:
            matched = environ["werkzeug.request"].url_rule
            rule = None if matched is None else matched.rule
            fields += further.get(rule, _ALWAYS) if rule else _ALWAYS
            _complete(fields, environ)
            meter.count(rule, environ["REQUEST_METHOD"], status, time.perf_counter() - began)
            return start_response(status, fields, *error)

        return inner(environ, start)

    return serve


def _complete(fields: list[tuple[str, str]], environ: "WSGIEnvironment") -> None:
    """Add what differs from one answer to the next."""
    if not any(name.lower() == "cache-control" for name, _ in fields):
        fields.append(_NO_STORE)
    fields.append(("X-Trace-ID", trace_id_of(environ)))
    if (sent := request_id_of(environ)) is not None:
        fields.append(("X-Request-ID", sent))
    if (standing := environ.get(STANDING)) is not None:
        fields += limit_fields(standing)
