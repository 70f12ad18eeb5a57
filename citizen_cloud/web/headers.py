"""What every answer carries: caching, tracing, limits and safety header fields."""

from flask import Flask, Response, g

from citizen_cloud.web.context import request_id, trace_id
from citizen_cloud.web.limits import Standing

SAFETY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-site",
}


def install(app: Flask) -> None:
    """Add the fields after each request."""

    @app.after_request
    def add(response: Response) -> Response:
        headers = response.headers
        # add() rather than a look through all fields for one of these: no view sets them.
        for name, value in SAFETY.items():
            headers.add(name, value)
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        headers.add("X-Trace-ID", trace_id())
        if (sent := request_id()) is not None:
            headers.add("X-Request-ID", sent)
        _add_limits(response, g.get("standing"))
        return response


def _add_limits(response: Response, standing: Standing | None) -> None:
    """Write RateLimit fields (draft-ietf-httpapi-ratelimit-headers) and their older names."""
    if standing is None:
        return
    headers = response.headers
    headers.add("RateLimit-Policy", f'"door";q={standing.policy}')
    headers.add("RateLimit", f'"door";r={standing.remaining};t={standing.reset_s}')
    headers.add("X-RateLimit-Limit", str(standing.limit))
    headers.add("X-RateLimit-Remaining", str(standing.remaining))
    headers.add("X-RateLimit-Reset", str(standing.reset_s))
