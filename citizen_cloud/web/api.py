"""The OpenAPI side of the application: problems documented as problems, one document."""

from typing import Any

import flask_smorest
import orjson
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response
from flask.json.provider import JSONProvider
from werkzeug.exceptions import HTTPException

from citizen_cloud.web import problems
from citizen_cloud.web.fields import WallTime
from citizen_cloud.web.schemas import ProblemSchema

OPENAPI_VERSION = "3.1.0"


class FastJson(JSONProvider):
    """JSON out through orjson; requests are read by ``parser.loads``."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Serialise to text."""
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse; only test clients come here."""
        del kwargs
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Build a JSON response."""
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), default=str)
        return Response(body, mimetype="application/json")


class Api(flask_smorest.Api):  # type: ignore[misc]
    """smorest's Api with RFC 9457 problems, served and documented."""

    ERROR_SCHEMA = ProblemSchema
    # Each operation lists its own refusals; a "default" would hide one that was forgotten.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer an HTTP exception as a problem."""
        return problems.from_http(error)

    def _register_responses(self) -> None:
        """Register no default error responses: each operation lists its own."""


def install(app: Flask, *, title: str, version: str) -> Api:
    """Make the application's one Api, and answer every exception as a problem."""
    app.json = FastJson(app)
    app.config.update(
        API_TITLE=title,
        API_VERSION=version,
        OPENAPI_VERSION=OPENAPI_VERSION,
        PROPAGATE_EXCEPTIONS=False,
    )
    api = Api(
        app,
        spec_kwargs={
            "marshmallow_plugin": MarshmallowPlugin(),
            "info": {
                "description": "市民云: one login and one entry point for a city's services.",
                "contact": {"name": "Citizen Cloud"},
            },
            "servers": [{"url": "/"}],
        },
    )
    api.spec.components.security_scheme(
        "bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    )
    # HH:MM is no format JSON Schema knows; its pattern says it.
    api.register_field(WallTime, "string", None)
    app.register_error_handler(Exception, problems.from_exception)
    return api
