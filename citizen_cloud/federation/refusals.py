"""Why signing in through others, or linking them, is refused."""

from citizen_cloud.errors import Conflict, Invalid, NotFound, Unauthenticated, Unavailable
from citizen_cloud.text import Text


class ProviderUnknown(NotFound):
    """No such provider is set up here."""

    code = "provider_unknown"
    title = Text("不支持该登录方式", "Provider not offered")
    detail = Text(
        "本平台未开通该登录方式，可用方式见 GET /auth/providers。",
        "This installation does not offer the provider; GET /auth/providers lists those it does.",
    )


class ProviderUnavailable(Unavailable):
    """The provider does not answer, or not in a form that can be believed."""

    code = "provider_unavailable"
    title = Text("第三方登录暂不可用", "Provider not available")
    detail = Text(
        "第三方登录服务暂时不可用，请稍后再试，或使用手机验证码登录。",
        "The provider does not answer; try again later or sign in by code.",
    )


class FederatedCodeInvalid(Unauthenticated):
    """The code is wrong, used, expired, or does not belong to this start: one answer."""

    code = "federated_code_invalid"
    title = Text("第三方登录失败", "Sign-in not accepted")
    detail = Text(
        "授权码错误、已使用或已过期，请重新发起登录。",
        "The provider's code is wrong, used or expired; begin again.",
    )


class LinkRequired(Conflict):
    """Right, but nobody here yet: sign in, prove the real name, then send ``link_ticket``."""

    code = "link_required"
    title = Text("需要关联账号", "Link required")
    detail = Text(
        "请先用手机验证码登录并完成实名认证，再用 link_ticket 关联。",
        "Sign in by code, complete the real-name step, then link with the link_ticket.",
    )


class LinkTicketInvalid(Invalid):
    """The ticket is unknown, used, expired, or not for this account: one answer."""

    code = "link_ticket_invalid"
    title = Text("关联凭证无效", "Ticket not accepted")
    detail = Text(
        "关联凭证无效、已使用或已过期，请重新发起第三方登录。",
        "The ticket is not valid, used or expired; sign in through the provider again.",
    )


class IdentityInUse(Conflict):
    """The identity is linked to another account; whose is not said."""

    code = "identity_in_use"
    title = Text("第三方账号已被关联", "Identity in use")
    detail = Text(
        "该第三方账号已关联其他账号。", "This identity is linked to another account already."
    )


class ProviderAlreadyLinked(Conflict):
    """An account has at most one identity at each provider."""

    code = "provider_already_linked"
    title = Text("已关联该登录方式", "Provider already linked")
    detail = Text(
        "您的账号已关联该登录方式，请先解除原有关联。",
        "An identity of this provider is linked to your account already; remove it first.",
    )


class StartNotNeeded(Invalid):
    """A mini-program gets its code from its own host: there is nothing to start."""

    code = "start_not_needed"
    title = Text("无需发起", "Nothing to start")
    detail = Text(
        "小程序登录无需此步骤，请直接提交授权码。",
        "Mini-programs get the code from their host; send it right away.",
    )
