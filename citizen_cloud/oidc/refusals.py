"""What the provider's own API refuses; OAuth's endpoints answer in OAuth's words instead."""

from citizen_cloud.errors import Conflict, Forbidden, Invalid
from citizen_cloud.text import Text


class RequestOver(Conflict):
    """The authorization request was decided, or waited too long."""

    code = "authorization_request_over"
    title = Text("授权请求已结束", "Request over")
    detail = Text(
        "该授权请求已处理或已过期，请返回应用重新发起。",
        "The request was answered or has expired; start again at the partner.",
    )


class ScopeNotAsked(Invalid):
    """More was agreed to than was asked for, or the indispensable was left out."""

    code = "scope_not_asked"
    title = Text("授权范围不符", "Scopes do not match")
    detail = Text(
        "同意的范围须包含 openid，且不能超出所请求的范围。",
        "What is agreed to must contain openid, and nothing that was not asked for.",
    )


class CitizensOnly(Forbidden):
    """Staff and systems have no data that partners could ask for."""

    code = "citizens_only"
    title = Text("仅限市民账号", "Citizens only")
    detail = Text("仅市民账号可以授权。", "Only a citizen's account can agree to this.")


class ScopeUnknown(Invalid):
    """A scope that no client of this type can have."""

    code = "scope_unknown"
    title = Text("授权范围不可用", "Scope not available")
    detail = Text(
        "该类型的客户端不能使用其中的某些授权范围。",
        "Some of the scopes are not there for clients of this type.",
    )


class AddressNotAllowed(Invalid):
    """An address clients may not be answered at."""

    code = "address_not_allowed"
    title = Text("回调地址不可用", "Address not allowed")
    detail = Text(
        "地址须为 https；仅本机应用可使用回环地址；不得含片段、通配符或用户信息。",
        "Addresses are https, or the loopback for native apps; no fragment, wildcard or user.",
    )


class SectorNeeded(Invalid):
    """Addresses of several hosts: the sector has to be named."""

    code = "sector_needed"
    title = Text("请指定标识范围", "Sector needed")
    detail = Text(
        "回调地址属于多个主机，请指定 sector。",
        "The addresses are on several hosts; name the sector.",
    )


class NoSecret(Conflict):
    """Apps and pages that run at the citizen's cannot keep a secret, and have none."""

    code = "client_has_no_secret"
    title = Text("该客户端没有密钥", "Client has no secret")
    detail = Text("公开客户端没有密钥。", "A public client has no secret.")


class ClientOrganisationClosed(Conflict):
    """The organisation does not work at present."""

    code = "client_organisation_closed"
    title = Text("机构未运营", "Organisation not active")
    detail = Text("所属机构已暂停或关闭。", "The organisation is paused or closed.")
