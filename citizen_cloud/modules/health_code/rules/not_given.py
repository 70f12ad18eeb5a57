"""Why no code is given."""

from citizen_cloud.errors import Conflict, Forbidden
from citizen_cloud.text import Text


class NoStatus(Conflict):
    """Nothing is known that a colour could be computed from."""

    code = "no_status"
    title = Text("尚无健康码状态", "No status yet")
    detail = Text(
        "尚无健康码状态，请先完成健康申报。", "There is no status yet; declare your health first."
    )


class UseDevice(Conflict):
    """A phone is registered: it shows the code itself, and nobody else gets one."""

    code = "use_device"
    title = Text("请使用已登记的手机", "Use the registered phone")
    detail = Text(
        "已登记手机，请在该手机上出示健康码；手机丢失请先挂失。",
        "A phone is registered; show the code there. If it is lost, report it first.",
    )


class PaperNotEligible(Forbidden):
    """Paper is for those who may have no phone."""

    code = "paper_not_eligible"
    title = Text("不符合纸质码条件", "Not entitled to a paper code")
    detail = Text(
        "纸质码仅供未满18周岁、年满60周岁或残障人士使用；残障人士请携带残疾证到窗口办理。",
        "Paper codes are for people under 18, of 60 and over, and for disabled people, who have it "
        "recorded at a service counter.",
    )


class SaidEnough(Conflict):
    """More was declared of one person on one day than anybody has to say."""

    code = "declared_enough"
    title = Text("今日申报次数过多", "Declared too often today")
    detail = Text(
        "每人每天最多申报{most}次，请明天再申报。",
        "At most {most} declarations a day count for one person; declare again tomorrow.",
    )
