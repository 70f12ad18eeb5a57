"""What this room refuses, in its own words."""

from citizen_cloud.errors import Conflict, Forbidden, Invalid
from citizen_cloud.text import Text


class SecondPersonRequired(Forbidden):
    """Who opened a case does not decide it."""

    code = "second_person_required"
    title = Text("须由另一人审核", "A second person decides")
    detail = Text(
        "申请须由同一窗口的另一位工作人员审核，且七天内双方账号不得由对方或同一人开通或重置。",
        "The case must be decided by another member of staff of the same counter, and within seven "
        "days neither account may have been let in or reset by the other, nor both by one person.",
    )


class CaseOpen(Conflict):
    """A case of this kind about this person waits for its decision already."""

    code = "case_open"
    title = Text("已有待审核的申请", "A case is open already")
    detail = Text(
        "此人的同类申请正在审核中。", "A case of this kind about this person is being decided."
    )


class CaseOver(Conflict):
    """The case was decided, cancelled, or has expired; ``case_status`` says which."""

    code = "case_over"
    title = Text("申请已结束", "The case is over")
    detail = Text("该申请已审核、取消或过期。", "The case was decided, cancelled, or has expired.")


class NameUnchanged(Invalid):
    """The name asked for is the one on record."""

    code = "name_unchanged"
    title = Text("姓名没有变化", "Name unchanged")
    detail = Text("新姓名与现有姓名相同。", "The new name is the one on record.")
