"""Refusals in the words of the domain; this file knows no HTTP.

A service raises a subclass of one of the kinds below. The web room turns the kind into a status
and the class into a problem type, and serves a page for every ``code`` defined anywhere.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Self

from citizen_cloud.text import Text


class Refusal(Exception):
    """Something the caller asked for that is not given, and why.

    ``facts`` travel to the caller as extension members of the problem and fill ``{name}`` places
    of ``detail``; they never hold an identity number, a phone, or anything internal.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[Text] = Text("请求未被接受", "Refused")
    detail: ClassVar[Text] = Text("请求未被接受。", "The request was refused.")

    def __init__(self, **facts: Any) -> None:
        super().__init__(self.code)
        self.facts = facts
        self.afterwards: list[Callable[[Any], object]] = []

    def but_record(self, *work: Callable[[Any], object]) -> Self:
        """Have something written down although this was refused: the attempt itself, an alarm.

        Each piece of work gets a session of a transaction that is opened after the refused one
        was rolled back.
        """
        self.afterwards.extend(work)
        return self


class Malformed(Refusal):
    """The request cannot be read at all."""

    code = "malformed"
    title = Text("请求格式错误", "Malformed request")
    detail = Text("无法读取请求内容。", "The request could not be read.")


class Unauthenticated(Refusal):
    """Nobody known is asking."""

    code = "unauthenticated"
    title = Text("请先登录", "Sign-in required")
    detail = Text(
        "登录信息缺失或已失效，请重新登录。", "The sign-in is missing or no longer valid."
    )


class StepUpRequired(Refusal):
    """The caller is known, but not well enough for this operation (RFC 9470)."""

    code = "step_up_required"
    title = Text("需要进一步验证身份", "Stronger proof of identity required")
    detail = Text(
        "此操作需要更高的身份认证等级，请先完成实名认证。",
        "This operation needs a higher level of assurance; complete the real-name step first.",
    )


class Forbidden(Refusal):
    """The caller is known and may not do this."""

    code = "forbidden"
    title = Text("无权进行此操作", "Not permitted")
    detail = Text("您的账号无权进行此操作。", "Your account may not do this.")


class NotFound(Refusal):
    """Absent, or somebody else's: the two look the same."""

    code = "not_found"
    title = Text("未找到", "Not found")
    detail = Text("未找到您要的内容。", "There is nothing here for you.")


class Conflict(Refusal):
    """The state of things does not allow it now."""

    code = "state_conflict"
    title = Text("当前状态不允许", "Not possible in the current state")
    detail = Text("当前状态不允许此操作。", "The current state does not allow this.")


class StaleVersion(Refusal):
    """Somebody changed the object since the caller read it."""

    code = "stale_version"
    title = Text("内容已被更新", "Changed since you read it")
    detail = Text("内容已被他人更新，请刷新后重试。", "Read the current version and try again.")


class Invalid(Refusal):
    """Readable, but a value breaks a rule; ``errors`` lists pointer, code and message."""

    code = "invalid"
    title = Text("提交的内容有误", "Invalid content")
    detail = Text("请检查标出的内容后重新提交。", "Correct the marked values and send it again.")


class IdempotencyKeyReused(Invalid):
    """The key was used before with another request."""

    code = "idempotency_key_reused"
    title = Text("幂等键已被使用", "Idempotency-Key reused")
    detail = Text(
        "该幂等键已用于内容不同的请求。", "This key was used with a different request before."
    )


class TooMany(Refusal):
    """A limit of attempts is used up; ``retry_after`` is in seconds."""

    code = "rate_limited"
    title = Text("操作过于频繁", "Too many attempts")
    detail = Text("操作过于频繁，请稍后再试。", "Too many attempts; try again later.")


class Unavailable(Refusal):
    """A part that is needed does not answer now; ``retry_after`` is in seconds."""

    code = "unavailable"
    title = Text("服务暂时不可用", "Temporarily unavailable")
    detail = Text(
        "服务暂时不可用，请稍后再试。", "The service is not available now; try again soon."
    )
