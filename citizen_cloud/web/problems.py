"""Every refusal as application/problem+json (RFC 9457), and the register of their codes."""

from http import HTTPStatus
from typing import Any

import orjson
import structlog
from flask import Response, request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from citizen_cloud import errors
from citizen_cloud.errors import Refusal
from citizen_cloud.text import Text
from citizen_cloud.web.context import language, trace_id
from citizen_cloud.web.words import explain

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)


class MethodNotAllowed(Refusal):
    """The resource exists and does not do this."""

    code = "method_not_allowed"
    title = Text("不支持此方法", "Method not allowed")
    detail = Text("此地址不支持该请求方法。", "This resource does not answer this method.")


class NotAcceptable(Refusal):
    """None of the accepted media types is served here."""

    code = "not_acceptable"
    title = Text("无法提供所需格式", "Not acceptable")
    detail = Text("无法以所要求的格式返回。", "None of the accepted media types is served here.")


class RequestTimeout(Refusal):
    """The body came too slowly."""

    code = "request_timeout"
    title = Text("请求超时", "Request timeout")
    detail = Text("请求内容传输过慢。", "The request body came too slowly.")


class ContentTooLarge(Refusal):
    """The body is longer than allowed."""

    code = "content_too_large"
    title = Text("请求内容过大", "Content too large")
    detail = Text("请求内容超过允许的大小。", "The request body is larger than allowed.")


class UriTooLong(Refusal):
    """The address is longer than allowed."""

    code = "uri_too_long"
    title = Text("请求地址过长", "URI too long")
    detail = Text("请求地址过长。", "The request address is too long.")


class UnsupportedMediaType(Refusal):
    """The body has a form this operation does not read."""

    code = "unsupported_media_type"
    title = Text("不支持的内容类型", "Unsupported media type")
    detail = Text("此操作不支持该内容类型。", "This operation does not read this media type.")


class HeaderTooLarge(Refusal):
    """Header fields are longer than allowed."""

    code = "header_too_large"
    title = Text("请求头过大", "Header fields too large")
    detail = Text("请求头过大。", "The request header fields are too large.")


class NotImplementedByServer(Refusal):
    """A transfer coding or method nobody here speaks."""

    code = "not_implemented"
    title = Text("不支持的请求", "Not implemented")
    detail = Text("服务器不支持该请求。", "The server does not support this request.")


class VersionNotSupported(Refusal):
    """A version of HTTP nobody here speaks."""

    code = "http_version_not_supported"
    title = Text("不支持的 HTTP 版本", "HTTP version not supported")
    detail = Text("不支持的 HTTP 版本。", "This version of HTTP is not supported.")


class InternalError(Refusal):
    """Our fault; the details are in the log under the trace id."""

    code = "internal_error"
    title = Text("系统内部错误", "Internal error")
    detail = Text("系统出现错误，我们会尽快处理。", "Something went wrong on our side.")


class ModuleOff(Refusal):
    """The service is switched off, or takes no new business."""

    code = "module_off"
    title = Text("服务暂未开放", "Service switched off")
    detail = Text("该服务目前未开放。", "This service is switched off at present.")


class ClientTooOld(Refusal):
    """The app must be updated first."""

    code = "client_too_old"
    title = Text("请更新应用", "Update required")
    detail = Text("当前版本过低，请更新应用后使用。", "Update the app to go on.")


class IdempotencyKeyMissing(Refusal):
    """This operation needs an Idempotency-Key."""

    code = "idempotency_key_required"
    title = Text("缺少幂等键", "Idempotency-Key required")
    detail = Text(
        "请在请求头 Idempotency-Key 中提供 1–64 位可见 ASCII 字符。",
        "Send an Idempotency-Key header of 1 to 64 visible ASCII characters.",
    )


class RequestInFlight(Refusal):
    """The same request is being worked on now."""

    code = "request_in_flight"
    title = Text("请求处理中", "Request in flight")
    detail = Text("相同的请求正在处理，请稍后重试。", "The same request is still being worked on.")


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
_CHALLENGES: dict[type[Refusal], str] = {
    errors.Unauthenticated: "Bearer",
    errors.StepUpRequired: 'Bearer error="insufficient_user_authentication"',
}
RETRY_AFTER_S = 2


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
    status = status_of(kind)
    spoken = language()
    body: dict[str, Any] = {
        "type": f"/problems/{kind.code}",
        "title": kind.title.in_language(spoken),
        "status": status,
        "detail": _detail(refusal).in_language(spoken),
        "instance": request.path[:500],
        "code": kind.code,
        "trace_id": trace_id(),
    }
    facts = dict(refusal.facts)
    if faults := facts.pop("errors", None):
        body["errors"] = [
            {**fault, "message": explain(fault["code"]).in_language(spoken)} for fault in faults
        ]
    response = Response(
        orjson.dumps({**facts, **body}, default=str), status=status, mimetype=MEDIA_TYPE
    )
    response.headers["Content-Language"] = "zh-CN" if spoken == "zh" else "en"
    _add_headers(response, refusal)
    return response


def _detail(refusal: Refusal) -> Text:
    try:
        return type(refusal).detail.filled(**refusal.facts)
    except KeyError:
        return type(refusal).detail


def _add_headers(response: Response, refusal: Refusal) -> None:
    for kind, challenge in _CHALLENGES.items():
        if isinstance(refusal, kind):
            response.headers["WWW-Authenticate"] = challenge
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
        return problem(error)
    if isinstance(error, PoolTimeout) or _is_passing(error):
        log.warning("database_unavailable", error=type(error).__name__, trace_id=trace_id())
        return problem(errors.Unavailable())
    log.error("unhandled", error=type(error).__name__, trace_id=trace_id(), exc_info=_safe(error))
    return problem(InternalError())


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
