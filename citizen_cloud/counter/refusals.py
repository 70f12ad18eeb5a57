"""What this room refuses, in its own words."""

from citizen_cloud.errors import Conflict, Invalid
from citizen_cloud.text import Text


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


class OpenerGone(Conflict):
    """Who opened the case works there no more, or is suspended: nobody vouches for it."""

    code = "opener_gone"
    title = Text("受理人已不在岗", "Who opened it is gone")
    detail = Text(
        "受理人已离岗或被停用，该申请不能通过；请取消后重新受理。",
        "Who opened the case no longer works here or is suspended. It cannot be approved; cancel "
        "it and open it anew.",
    )


class NameUnchanged(Invalid):
    """The name asked for is the one on record."""

    code = "name_unchanged"
    title = Text("姓名没有变化", "Name unchanged")
    detail = Text("新姓名与现有姓名相同。", "The new name is the one on record.")
