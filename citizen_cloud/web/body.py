"""Reading request bodies under limits, before Flask sees the request.

A body is read whole, so that a slow sender never holds a database connection or a lock. It costs
its sender: ten seconds without a byte, or less than 1 KiB a second on average, end the request.
What is longer than 64 KiB waits in a temporary file, not in memory.
"""

import io
import json
import logging
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any

from gevent import Timeout
from werkzeug.wsgi import ClosingIterator

from citizen_cloud.config import Settings
from citizen_cloud.errors import Malformed, Refusal
from citizen_cloud.text import Text
from citizen_cloud.web.context import preferred
from citizen_cloud.web.headers import SAFETY
from citizen_cloud.web.problems import MEDIA_TYPE, refusal_of_status, status_of
from citizen_cloud.web.refusals import ContentTooLarge, RequestTimeout, UnsupportedMediaType

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STEP = 65_536
SLOWEST_BYTES_PER_S = 1024
UPLOADS = "multipart/form-data"

log = logging.getLogger(__name__)


class Truncated(Malformed):
    """The sender stopped before the end it had announced."""

    code = "body_truncated"
    title = Text("请求内容不完整", "Incomplete body")
    detail = Text("请求内容未传输完整。", "The body ended before the announced length.")


class EncodedBody(UnsupportedMediaType):
    """The body is compressed; only plain ones are read."""

    code = "content_encoding_not_supported"
    title = Text("不支持压缩的请求内容", "Content-Encoding not supported")
    detail = Text("请发送未压缩的请求内容。", "Send the body without Content-Encoding.")


class BoundedBody:
    """WSGI middleware, the outermost: the application gets bodies that are there and not too big.

    A refusal before the end of the body closes the connection, through ``abandon`` of the input
    where the server offers it: what follows on it could not be told from the rest of the body.
    """

    def __init__(self, app: "WSGIApplication", settings: Settings) -> None:
        self._app = app
        self._settings = settings

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Serve one request."""
        announced = environ.get("CONTENT_LENGTH") or "0"
        if announced == "0" and "HTTP_TRANSFER_ENCODING" not in environ:
            return self._app(environ, start_response)
        try:
            body, length = self._read(environ)
        except Refusal as refusal:
            if abandon := getattr(environ["wsgi.input"], "abandon", None):
                abandon()
            return wsgi_problem(refusal, environ, start_response)
        environ["wsgi.input"] = body
        environ["wsgi.input_terminated"] = True
        environ["CONTENT_LENGTH"] = str(length)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return ClosingIterator(self._app(environ, start_response), [body.close])

    def refused(
        self, status: HTTPStatus, accept_language: str
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return the answer to what the server's own parser refused: status line, fields, body."""
        return wire_problem(refusal_of_status(status)(), accept_language)

    def _read(self, environ: "WSGIEnvironment") -> tuple[IO[bytes], int]:
        """Return the body, rewound, and its length. Raises a ``Refusal``."""
        if environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
            raise EncodedBody
        limit = self._limit(environ)
        announced = _announced(environ)
        if announced is not None and announced > limit:
            raise ContentTooLarge(limit_bytes=limit)
        body = _room_for(announced)
        try:
            length = self._pour(environ, body, announced=announced, limit=limit)
        except BaseException:
            body.close()
            raise
        body.seek(0)
        return body, length

    def _limit(self, environ: "WSGIEnvironment") -> int:
        media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        settings = self._settings
        return settings.max_upload_bytes if media_type == UPLOADS else settings.max_body_bytes

    def _pour(
        self, environ: "WSGIEnvironment", body: IO[bytes], *, announced: int | None, limit: int
    ) -> int:
        """Copy the body in steps; each has a deadline, and every byte has one of its own."""
        source = environ["wsgi.input"]
        length = 0
        while announced is None or length < announced:
            step = STEP if announced is None else min(STEP, announced - length)
            try:
                with _paced(environ, step, self._settings.body_timeout_s):
                    piece = source.read(step)
            except TimeoutError as error:
                raise RequestTimeout from error
            except OSError as error:
                raise Truncated from error
            if not piece:
                break
            length += len(piece)
            if length > limit:
                raise ContentTooLarge(limit_bytes=limit)
            body.write(piece)
        if announced is not None and length < announced:
            raise Truncated
        return length


def _announced(environ: "WSGIEnvironment") -> int | None:
    """Return Content-Length, or None for a chunked body whose end the server finds."""
    if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
        return None
    text: str = environ.get("CONTENT_LENGTH", "")
    if not (text.isascii() and text.isdecimal()):
        raise Malformed
    return int(text)


def _room_for(announced: int | None) -> IO[bytes]:
    if announced is not None and announced <= STEP:
        return io.BytesIO()
    return tempfile.SpooledTemporaryFile(max_size=STEP)


@contextmanager
def _paced(environ: "WSGIEnvironment", step: int, silence_s: float) -> Iterator[None]:
    """Bound one read: the socket's own time-out for silence, a timer for a trickle.

    Raises ``TimeoutError``. Servers that do not hand over the socket keep their own limits.
    """
    sock = environ.get("gunicorn.socket")
    if sock is None:
        yield
        return
    before = sock.gettimeout()
    sock.settimeout(silence_s)
    try:
        with Timeout(silence_s + step / SLOWEST_BYTES_PER_S, TimeoutError):
            yield
    finally:
        sock.settimeout(before)


def wsgi_problem(
    refusal: Refusal, environ: "WSGIEnvironment", start_response: "StartResponse"
) -> list[bytes]:
    """Answer a refusal below Flask."""
    language = environ.get("HTTP_ACCEPT_LANGUAGE", "")
    status, headers, body = wire_problem(refusal, language, path=environ.get("PATH_INFO", ""))
    start_response(status, headers)
    return [body]


def wire_problem(
    refusal: Refusal, accept_language: str, *, path: str | None = None
) -> tuple[str, list[tuple[str, str]], bytes]:
    """Return the status line, header fields and body of a refusal (RFC 9457)."""
    kind = type(refusal)
    status = status_of(kind)
    spoken = preferred(accept_language[:200])
    problem: dict[str, Any] = {
        **refusal.facts,
        "type": f"/problems/{kind.code}",
        "title": kind.title.in_language(spoken),
        "status": status,
        "detail": kind.detail.in_language(spoken),
        "code": kind.code,
        "trace_id": secrets.token_hex(16),
    }
    if path:
        problem["instance"] = path.encode("latin-1").decode("utf-8", "replace")[:500]
    body = json.dumps(problem, ensure_ascii=False).encode()
    headers = [
        ("Content-Type", MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        ("Content-Language", "zh-CN" if spoken == "zh" else "en"),
        ("Cache-Control", "no-store"),
        ("X-Trace-ID", problem["trace_id"]),
        *SAFETY.items(),
    ]
    log.info("refused %s before routing, trace %s", kind.code, problem["trace_id"])
    return f"{status} {HTTPStatus(status).phrase}", headers, body
