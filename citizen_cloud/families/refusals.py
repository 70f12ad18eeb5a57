"""Why the families room says no."""

from citizen_cloud.errors import Conflict, Invalid, TooMany
from citizen_cloud.text import Text


class ProxySelf(Invalid):
    """Nobody represents himself."""

    code = "proxy_self"
    title = Text("不能添加本人", "That is yourself")
    detail = Text("不能把本人添加为被代办人。", "You act for yourself already; name somebody else.")


class RelationMismatch(Invalid):
    """The birth date in the document number and the relation contradict each other."""

    code = "relation_mismatch"
    title = Text("关系与年龄不符", "Relation and age do not agree")
    detail = Text(
        "未满 18 周岁须选择“子女”，已满 18 周岁不能选择“子女”。",
        "Under 18 the relation is `child`; from 18 on it is another.",
    )


class AlreadyLinked(Conflict):
    """There is a link or an open request of yours to this person."""

    code = "already_linked"
    title = Text("已有代办关系或申请", "Linked or asked already")
    detail = Text(
        "您与此人之间已有代办关系或待处理的申请。",
        "You have a link or an open request to this person already.",
    )


class ProxyCycle(Conflict):
    """The other one acts for you, or asked to: two people do not act for each other."""

    code = "proxy_cycle"
    title = Text("不能互为代办人", "Two people cannot act for each other")
    detail = Text(
        "对方已是（或正申请成为）您的代办人，请先结束或答复。",
        "The other person acts for you, or asked to; end that first.",
    )


class DependantsFull(Conflict):
    """Somebody acts for at most eight people, open requests counted."""

    code = "dependants_full"
    title = Text("被代办人已满", "No more dependants")
    detail = Text(
        "每人最多为 {most} 人代办（含待处理的申请）。",
        "One person acts for at most {most} people, open requests included.",
    )


class GuardiansFull(Conflict):
    """A child has at most two guardians here."""

    code = "guardians_full"
    title = Text("监护人已满", "The child has two guardians")
    detail = Text("一个孩子最多有两位监护人。", "A child has at most two guardians.")


class AskedTooOften(TooMany):
    """The same person again and again, or too many people in a day."""

    code = "asked_too_often"
    title = Text("申请过于频繁", "Asked too often")
    detail = Text(
        "申请过于频繁，请过些时候再试。", "You asked too often; try again some time later."
    )


class LinkDecided(Conflict):
    """The request was answered, withdrawn, or its time is over."""

    code = "link_decided"
    title = Text("申请已处理", "Answered already")
    detail = Text("该申请已处理或已失效。", "The request was answered, withdrawn or has lapsed.")


class ScopesNotNarrower(Invalid):
    """Something is asked for that the link, the request or the guardian's own link has not."""

    code = "scopes_not_narrower"
    title = Text("范围不能扩大", "Services can only be taken away")
    detail = Text(
        "服务范围只能缩小，不能扩大。",
        "Of the services named before, some can be left out; none can be added.",
    )
