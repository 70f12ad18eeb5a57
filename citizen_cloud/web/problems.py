"""Every refusal as application/problem+json (RFC 9457), and the register of their codes."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from flask import Response, g, request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from citizen_cloud import db, errors
from citizen_cloud.clock import written
from citizen_cloud.errors import Refusal
from citizen_cloud.text import Language, Text
from citizen_cloud.web import step_up
from citizen_cloud.web.context import language, trace_id
from citizen_cloud.web.refusals import (
    ClientTooOld,
    ContentTooLarge,
    HeaderTooLarge,
    IdempotencyKeyMissing,
    InternalError,
    MethodNotAllowed,
    ModuleOff,
    NotAcceptable,
    NotImplementedByServer,
    RequestInFlight,
    RequestTimeout,
    UnsupportedMediaType,
    UriTooLong,
    VersionNotSupported,
)
from citizen_cloud.web.words import explain

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)


# First match counts: kinds of errors.py, then the web's own.
STATUS: dict[type[Refusal], int] = {
    IdempotencyKeyMissing: 400,
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.StepUpRequired: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    RequestTimeout: 408,
    errors.Conflict: 409,
    RequestInFlight: 409,
    errors.StaleVersion: 412,
    ContentTooLarge: 413,
    UriTooLong: 414,
    UnsupportedMediaType: 415,
    errors.Invalid: 422,
    ClientTooOld: 426,
    errors.TooMany: 429,
    HeaderTooLarge: 431,
    InternalError: 500,
    NotImplementedByServer: 501,
    ModuleOff: 503,
    errors.Unavailable: 503,
    VersionNotSupported: 505,
}
_BY_STATUS: dict[int, type[Refusal]] = {
    400: errors.Malformed,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    408: RequestTimeout,
    413: ContentTooLarge,
    414: UriTooLong,
    415: UnsupportedMediaType,
    422: errors.Invalid,
    429: errors.TooMany,
    431: HeaderTooLarge,
    501: NotImplementedByServer,
    503: errors.Unavailable,
    505: VersionNotSupported,
}
RETRY_AFTER_S = 2
# Who is turned away, and how often, is what an attack looks like in a log (ASVS 16.3).
LOGGED = frozenset({401, 403, 429})


def status_of(refusal: type[Refusal]) -> int:
    """Return the HTTP status of a kind of refusal."""
    for kind in refusal.__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return STATUS[errors.Conflict]


def refusal_of_status(status: int) -> type[Refusal]:
    """Return the problem type that stands for a bare HTTP status."""
    return _BY_STATUS.get(
        status, InternalError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else errors.Malformed
    )


def register() -> dict[str, type[Refusal]]:
    """Return every problem type defined anywhere, by code."""
    found: dict[str, type[Refusal]] = {}
    waiting = [Refusal]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if kind is not Refusal:
            found.setdefault(kind.code, kind)
    return found


def problem(refusal: Refusal) -> Response:
    """Answer a refusal in the caller's language."""
    kind = type(refusal)
    spoken = language()
    body = {**_head(kind, spoken), "instance": request.path[:500], "trace_id": trace_id()}
    if refusal.facts:
        body["detail"] = _detail(refusal).in_language(spoken)
    facts = {name: _shown(value) for name, value in refusal.facts.items()}
    if isinstance(refusal, errors.StepUpRequired):
        facts["actions"] = step_up.actions(refusal.facts)
    if faults := facts.pop("errors", None):
        body["errors"] = [
            {**fault, "message": explain(fault["code"]).in_language(spoken)} for fault in faults
        ]
    written_out = orjson.dumps({**facts, **body}, default=str)
    status: int = body["status"]
    response = Response(written_out, status=status, mimetype=MEDIA_TYPE)
    response.headers.add("Content-Language", "zh-CN" if spoken == "zh" else "en")
    _add_headers(response, refusal)
    if status in LOGGED:
        _log(kind.code, status)
    return response


_heads: dict[tuple[type[Refusal], Language], dict[str, Any]] = {}


def _head(kind: type[Refusal], spoken: Language) -> dict[str, Any]:
    """Return the members that a kind of refusal has every time, worked out the first time."""
    if (kind, spoken) not in _heads:
        _heads[kind, spoken] = {
            "type": f"/problems/{kind.code}",
            "title": kind.title.in_language(spoken),
            "status": status_of(kind),
            "detail": kind.detail.in_language(spoken),
            "code": kind.code,
        }
    return _heads[kind, spoken]


def _log(code: str, status: int) -> None:
    """Write down who was turned away where: the route's template, never the path or the body."""
    known = g.get("caller")
    log.warning(
        "turned_away",
        problem=code,
        method=request.method,
        route=request.url_rule.rule if request.url_rule else None,
        status=status,
        trace_id=trace_id(),
        account_id=str(known.account_id) if known else None,
    )


def _shown(value: Any) -> Any:
    """Write an instant as every answer does, with the city's offset."""
    return written(value) if isinstance(value, datetime) else value


def _detail(refusal: Refusal) -> Text:
    try:
        return type(refusal).detail.filled(**refusal.facts)
    except KeyError:
        return type(refusal).detail


def _add_headers(response: Response, refusal: Refusal) -> None:
    if isinstance(refusal, errors.StepUpRequired):
        response.headers["WWW-Authenticate"] = step_up.challenge(refusal.facts)
    elif isinstance(refusal, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    if response.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        response.headers["Retry-After"] = str(refusal.facts.get("retry_after", RETRY_AFTER_S))


def from_http(error: HTTPException) -> Response:
    """Answer what Flask or Werkzeug raised, keeping headers such as ``Allow``."""
    if error.response is not None and error.code is None:
        return error.response  # type: ignore[return-value]
    answer = problem(refusal_of_status(error.code or 500)())
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after", "www-authenticate"):
            answer.headers[name] = value
    return answer


def from_exception(error: Exception) -> Response:
    """Answer anything else: the cause goes to the log, never to the caller."""
    if isinstance(error, Refusal):
        failed = _record(error)
        return problem(error) if failed is None else from_exception(failed)
    if isinstance(error, PoolTimeout) or _is_passing(error):
        log.warning("database_unavailable", error=type(error).__name__, trace_id=trace_id())
        return problem(errors.Unavailable())
    log.error("unhandled", error=type(error).__name__, trace_id=trace_id(), exc_info=_safe(error))
    return problem(InternalError())


def _record(refusal: Refusal) -> Exception | None:
    """Write down what must not be lost with the refused transaction; return why that failed."""
    if not refusal.afterwards:
        return None
    try:
        with db.transaction() as session:
            for work in refusal.afterwards:
                work(session)
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
        return RuntimeError("not recorded") if isinstance(error, Refusal) else error
    return None


def _is_passing(error: Exception) -> bool:
    """Return whether the database refused, was too slow, deadlocked or went away."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return (
        error.connection_invalidated
        or state is None
        or state[:2] in ("08", "40", "53", "57")
        or state in ("55P03", "25006")
    )


def _safe(error: Exception) -> Any:
    """Return what may be logged: database errors quote parameters, so only their place."""
    if isinstance(error, SQLAlchemyError):
        error.hide_parameters = True  # type: ignore[attr-defined]
        log.error("database_error", sqlstate=getattr(getattr(error, "orig", None), "sqlstate", ""))
        return None
    return error
