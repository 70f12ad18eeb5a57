"""Flask, with what it finds out anew at each request decided once, at start."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest
from werkzeug.routing import MapAdapter
from werkzeug.wsgi import get_host

# Answers with a body that keep every field; Werkzeug sees to the others.
_WHOLE = frozenset({200, 201, 202, *range(400, 600)})


class NoSessions(SessionInterface):
    """Nothing is kept in cookies: every request gets the same session, which takes nothing."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the session that refuses to be written."""
        del app, request
        return self._none


class PlainResponse(Response):
    """An answer whose header fields go out as they are.

    Werkzeug copies and checks them all once more, to find a Location or a length to mend.
    """

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Return the header fields of this answer."""
        fields = self.headers
        is_whole = self.status_code in _WHOLE and "Content-Length" in fields
        if is_whole and "Location" not in fields:
            return fields
        return super().get_wsgi_headers(environ)


def _check_query(sent: str) -> None:
    """Refuse raw bytes that Werkzeug would fail to read, wherever that is."""
    if sent.isascii():
        return
    try:
        sent.encode("latin-1").decode()
    except UnicodeError as error:
        raise BadRequest from error


class Application(Flask):
    """The host's Flask: no coroutines, no sessions, no names of hosts to route by."""

    response_class = PlainResponse
    session_interface = NoSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: ``gate.install`` lets no coroutine in, so nobody looks again.

        Flask looks nine times a request, which cost a twentieth of it.
        """
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what matches the path. Raises ``BadRequest`` for a query that is no UTF-8.

        No rule names a host, and nothing is redirected: an impossible Host counts as none.
        """
        if request is None or "HTTP_UPGRADE" in request.environ:
            # Werkzeug knows whether another protocol is asked for, and refuses it.
            return super().create_url_adapter(request)
        _check_query(request.environ.get("QUERY_STRING", ""))
        request.host = get_host(request.environ, request.trusted_hosts)
        return MapAdapter(
            self.url_map,
            server_name=request.host,
            script_name=request.root_path or "/",
            subdomain="",
            url_scheme=request.scheme,
            path_info=request.path,
            default_method=request.method,
            query_args=request.environ.get("QUERY_STRING"),
        )
