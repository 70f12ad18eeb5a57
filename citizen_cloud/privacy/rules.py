"""What citizens read about looks at their data, and how long things take. Pure."""

from collections.abc import Mapping
from datetime import timedelta

from citizen_cloud.text import Text

EXPORT_LIFE = timedelta(days=7)
CERTIFICATE_LIFE = timedelta(days=3 * 365)
# Longer than any request: whoever was let in before the account was shut has finished.
REST = timedelta(seconds=30)
CLOSURE_REASONS = ("not_needed", "privacy", "moved", "other")

_OTHER = Text("其他业务", "Other business")
PURPOSES: Mapping[str, Text] = {
    "masks.redeem": Text("口罩领取核对", "Handing over masks"),
    "masks.day_list": Text("网点当日领取名单", "The day's list of an outlet"),
    "families.attest": Text("窗口代办登记", "Recording a family link at a counter"),
    "families.proxy": Text("亲友代办", "Acting for you"),
    "oidc.userinfo": Text("授权登录时提供信息", "Signing you in at a partner"),
}
ROOMS: Mapping[str, Text] = {
    "accounts": Text("账号与身份", "Account and identity"),
    "audit": Text("审计记录", "Audit trail"),
    "booking": Text("预约", "Bookings"),
    "counter": Text("服务窗口", "Service counter"),
    "families": Text("亲友代办", "Acting for others"),
    "federation": Text("第三方登录", "Sign-in by others"),
    "jobs": Text("后台任务", "Background work"),
    "masks": Text("口罩预约", "Masks"),
    "messages": Text("消息", "Messages"),
    "oidc": Text("授权登录", "Sign-in at partners"),
    "organisations": Text("机构", "Organisations"),
    "privacy": Text("隐私权利", "Privacy rights"),
    "web": Text("接口", "Interface"),
}
CATEGORIES: Mapping[str, Text] = {
    "name": Text("姓名", "Name"),
    "document": Text("证件", "Identity document"),
    "birth_date": Text("出生日期", "Date of birth"),
    "phone": Text("手机号", "Phone number"),
    "bookings": Text("预约", "Bookings"),
    "messages": Text("消息", "Messages"),
    "family": Text("代办关系", "Family links"),
    "protection": Text("查看记录与代办人", "Who looked, and who may act"),
}
BASES: Mapping[str, Text] = {
    "booking": Text("您在该处的预约", "Your booking there"),
    "case": Text("您在该处办理的业务", "Your case there"),
    "link": Text("您同意的代办关系", "The link you agreed to"),
    "consent": Text("您的同意", "Your consent"),
    "none": Text("无", "None"),
}
ROLES: Mapping[str, Text] = {
    "staff": Text("工作人员", "Staff"),
    "manager": Text("负责人", "Manager"),
    "admin": Text("平台管理员", "Administrator"),
    "auditor": Text("审计员", "Auditor"),
    "service": Text("业务系统", "A system"),
    "partner": Text("合作服务", "A partner's service"),
    "proxy": Text("代办人", "Somebody acting for you"),
}


def purpose_words(purpose: str) -> Text:
    """Return a purpose in words; one of a later room by its room, never an internal name.

    A proxy's names the service behind: ``families.proxy.masks``.
    """
    known = PURPOSES.get(purpose) or PURPOSES.get(purpose.rpartition(".")[0])
    return known or ROOMS.get(purpose.partition(".")[0], _OTHER)


def category_words(category: str) -> Text:
    """Return a category in words."""
    return CATEGORIES.get(category, Text("其他信息", "Other data"))


def room_title(name: str) -> Text:
    """Return a room's name in words."""
    return ROOMS.get(name, Text(name, name))
