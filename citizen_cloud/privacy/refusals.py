"""Why the privacy room says no."""

from citizen_cloud.errors import Conflict
from citizen_cloud.text import Text


class ExportInProgress(Conflict):
    """One bundle at a time."""

    code = "export_in_progress"
    title = Text("正在准备", "A bundle is being made")
    detail = Text(
        "上一份个人信息副本仍在准备中。", "The bundle asked for before is still being made."
    )


class ExportNotReady(Conflict):
    """The bundle is asked for and not made yet."""

    code = "export_not_ready"
    title = Text("尚未就绪", "Not ready yet")
    detail = Text(
        "个人信息副本尚未就绪，完成后会发消息通知您。",
        "The bundle is not ready yet; a message will tell you.",
    )


class ClosureInProgress(Conflict):
    """The account is being closed already."""

    code = "closure_in_progress"
    title = Text("已申请注销", "Closure under way")
    detail = Text("该账号已申请注销。", "This account is being closed already.")


class StaffCannotClose(Conflict):
    """Accounts of staff end with their office."""

    code = "staff_cannot_close"
    title = Text("工作账号不能自行注销", "Staff accounts do not close themselves")
    detail = Text(
        "工作人员账号由所属机构停用，不能自行注销。",
        "A staff account is ended by its organisation, not by itself.",
    )
