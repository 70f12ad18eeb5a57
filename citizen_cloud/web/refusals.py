"""Refusals of HTTP's own: methods, media types, sizes, keys, switched-off services."""

from citizen_cloud.errors import Forbidden, Refusal
from citizen_cloud.text import Text


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


class ProxyNotPermitted(Forbidden):
    """No link to this person, none that covers this service, or nobody there: one answer."""

    code = "proxy_not_permitted"
    title = Text("无权代办", "Not permitted to act for this person")
    detail = Text(
        "您目前不能为此人办理该服务，请先取得授权。",
        "You may not act for this person in this service at present; ask for the right first.",
    )


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
