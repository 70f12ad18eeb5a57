"""What citizens read about looks at their data, and how long things take. Pure."""

from collections.abc import Mapping
from datetime import timedelta

from citizen_cloud.text import Text

EXPORT_LIFE = timedelta(days=7)
CERTIFICATE_LIFE = timedelta(days=3 * 365)
# Longer than any request: whoever was let in before the account was shut has finished. A booking
# may wait for its turn, for a connection, and for the database, which ends every statement.
REST = timedelta(seconds=60)
CLOSURE_REASONS = ("not_needed", "privacy", "moved", "other")

_OTHER = Text("其他业务", "Other business")
PURPOSES: Mapping[str, Text] = {
    "accounts.read": Text("查看账号状态", "Looking up how your account stands"),
    "accounts.suspend": Text("停用或恢复账号", "Suspending or restoring your account"),
    "counter.enrolment": Text("窗口实名登记", "Enrolling you at a service counter"),
    "counter.name_correction": Text("窗口更正姓名", "Correcting your name at a service counter"),
    "counter.recovery": Text("窗口恢复账号", "Recovering your account at a service counter"),
    "families.attest": Text("窗口办理代办关系", "Recording at a counter who acts for you"),
    "health_code.paper": Text("窗口办理纸质健康码", "Paper health codes at a service counter"),
    "health_code.verify": Text("核验您出示的健康码", "Checking the health code you showed"),
    "health_code.visits": Text(
        "按案件查阅场所到访记录", "Reading the visits of a place for a case"
    ),
    "health_code.appeal": Text("处理健康码申诉", "Answering your health code appeal"),
    "health_code.assign": Text("人工赋码", "Giving a health code colour by hand"),
    "health_code.correct": Text("更正健康码记录", "Withdrawing health records that were wrong"),
    "masks.day_list": Text("网点当日领取名单", "The day's list of an outlet"),
    "masks.redeem": Text("口罩领取核对", "Handing over masks"),
    "oidc.userinfo": Text("授权登录时提供信息", "Signing you in at a partner"),
}
# What somebody does for a person is named after the service it is done in.
PROXY = "families.proxy"
ACTING = Text("亲友代办", "Acting for you")
ACTING_IN = Text("亲友代办：{service}", "Acting for you: {service}")
ROOMS: Mapping[str, Text] = {
    "accounts": Text("账号与身份", "Account and identity"),
    "approvals": Text("多人审批", "Decisions by several people"),
    "audit": Text("审计记录", "Audit trail"),
    "booking": Text("预约", "Bookings"),
    "counter": Text("服务窗口", "Service counter"),
    "credentials": Text("凭证", "Codes"),
    "families": Text("亲友代办", "Acting for others"),
    "federation": Text("第三方登录", "Sign-in by others"),
    "health_code": Text("健康码", "Health code"),
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
    "health": Text("健康信息", "Health"),
    "messages": Text("消息", "Messages"),
    "family": Text("代办关系", "Who acts for whom"),
    "visits": Text("到访记录", "Visits"),
    "protection": Text("查看记录与代办人", "Who looked, and who may act"),
    "account": Text("账号状态", "How the account stands"),
    "identifier": Text("仅该机构可见的编号", "An id that only this partner sees"),
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


def purpose_words(purpose: str, services: Mapping[str, Text]) -> Text:
    """Return a purpose in words; one of a service by its name, never an internal one."""
    if purpose in PURPOSES:
        return PURPOSES[purpose]
    within = purpose.removeprefix(PROXY).lstrip(".")
    titles = {**ROOMS, **services}
    title = titles.get(within.partition(".")[0])
    if not purpose.startswith(PROXY):
        return title or _OTHER
    if title is None:
        return ACTING
    zh, en = ACTING_IN.zh, ACTING_IN.en
    return Text(zh.format(service=title.zh), en.format(service=title.en))


def category_words(category: str) -> Text:
    """Return a category in words."""
    return CATEGORIES.get(category, Text("其他信息", "Other data"))


def room_title(name: str) -> Text:
    """Return a room's name in words."""
    return ROOMS.get(name, Text(name, name))
