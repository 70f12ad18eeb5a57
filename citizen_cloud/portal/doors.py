"""Doors outside the API: health, metrics, documentation, problem pages, security contact."""

from importlib.resources import files
from pathlib import Path
from typing import cast

import orjson
from flask import Flask, Response, abort, current_app, request, send_from_directory
from markupsafe import escape
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from citizen_cloud import db
from citizen_cloud.errors import Forbidden
from citizen_cloud.jobs.queries import oldest_waiting
from citizen_cloud.portal.state import host
from citizen_cloud.web.marks import public
from citizen_cloud.web.metrics import Gauges, exposition
from citizen_cloud.web.problems import register, status_of

PUBLIC_HOUR = "public, max-age=3600"
NEWS = "citizen_cloud_outbox_oldest_seconds"
LOOPBACK = frozenset({"127.0.0.1", "::1"})
SWAGGER = Path(str(files("flask_swagger_ui"))) / "dist"


def install(app: Flask) -> None:
    """Add the doors; each is marked like any other."""
    for path, view in (
        ("/livez", livez),
        ("/readyz", readyz),
        ("/metrics", metrics),
        ("/openapi.json", openapi),
        ("/docs", docs),
        ("/docs/<path:name>", docs_file),
        ("/problems/<string(maxlength=64):code>", problem_page),
        ("/.well-known/security.txt", security),
    ):
        app.add_url_rule(path, view_func=view)


@public
def livez() -> Response:
    """Say that the process answers."""
    return _json({"status": "ok"})


@public
def readyz() -> Response:
    """Say whether requests can be served: the database answers, and which modules stand aside."""
    try:
        with db.statement() as connection:
            connection.execute(text("SELECT 1 FROM registry.module LIMIT 1"))
    except SQLAlchemyError:
        return _json({"status": "unavailable", "database": "unreachable"}, status=503)
    quarantined = sorted(host().installed.quarantined)
    return _json({"status": "ok", "database": "ok", "quarantined": quarantined})


@public
def metrics() -> Response:
    """Give the metrics to a scraper on this machine; nothing forwarded is answered."""
    if request.remote_addr not in LOOPBACK or "X-Forwarded-For" in request.headers:
        raise Forbidden
    try:
        with db.statement() as connection:
            waits = oldest_waiting(connection)
    except SQLAlchemyError:
        # What this process counted is told all the same.
        return exposition()
    return exposition(Gauges(NEWS, "Age of the oldest news due", label="lane", values=waits))


@public
def openapi() -> Response:
    """Give the OpenAPI 3.1 document of everything installed."""
    return _json(document(current_app), cache=PUBLIC_HOUR)


def document(app: Flask) -> dict[str, object]:
    """Return the OpenAPI document of an application."""
    found = app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    return cast("dict[str, object]", found.spec.to_dict())


@public
def docs() -> Response:
    """Show the document in Swagger UI, served from here."""
    page = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<title>市民云 Citizen Cloud API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "/openapi.json", dom_id: "#ui"})</script></html>"""
    return _page(page)


@public
def docs_file(name: str) -> Response:
    """Serve a file of Swagger UI."""
    answer = send_from_directory(SWAGGER, name)
    answer.headers["Cache-Control"] = PUBLIC_HOUR
    return answer


@public
def problem_page(code: str) -> Response:
    """Explain one problem type (RFC 9457 ``type``)."""
    kind = register().get(code)
    if kind is None:
        abort(404)
    title, detail = kind.title, kind.detail
    return _page(
        f"""<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{escape(code)}</title>
<h1>{escape(title.zh)} · {escape(title.en)}</h1><p><code>{escape(code)}</code> ·
HTTP {status_of(kind)}</p><p>{escape(detail.zh)}</p><p lang="en">{escape(detail.en)}</p></html>"""
    )


@public
def security() -> Response:
    """Say where to report a weakness (RFC 9116)."""
    base = host().settings.public_url
    body = f"Contact: {base}/docs\nExpires: 2030-01-01T00:00:00Z\nPreferred-Languages: zh, en\n"
    return Response(body, mimetype="text/plain", headers={"Cache-Control": PUBLIC_HOUR})


def _json(content: object, *, status: int = 200, cache: str | None = None) -> Response:
    answer = Response(orjson.dumps(content), status=status, mimetype="application/json")
    if cache:
        answer.headers["Cache-Control"] = cache
    return answer


def _page(html: str) -> Response:
    return Response(html, mimetype="text/html", headers={"Cache-Control": PUBLIC_HOUR})
