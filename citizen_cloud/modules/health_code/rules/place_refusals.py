"""What is refused at the door of a place, and of its record."""

from citizen_cloud.errors import Conflict, Invalid
from citizen_cloud.text import Text


class PlaceClosed(Conflict):
    """A closed place has no code and takes no visits."""

    code = "place_closed"
    title = Text("场所已停用", "Place closed")
    detail = Text("该场所已停用。", "This place is closed.")


class PlaceCodeInvalid(Invalid):
    """No code of ours, or its mark is not this place's."""

    code = "place_code_invalid"
    title = Text("场所码无效", "Not a venue code")
    detail = Text("无法识别该场所码，请重新扫描。", "This is no venue code; scan the screen again.")


class PlaceCodeElsewhere(Conflict):
    """The code is another place's."""

    code = "place_code_elsewhere"
    title = Text("不是本场所的码", "Another place's code")
    detail = Text(
        "该场所码属于其他场所，未作登记。", "This code belongs to another place; nothing was noted."
    )


class PlaceCodeStale(Conflict):
    """The code was shown too long ago: a picture of it has no effect."""

    code = "place_code_stale"
    title = Text("场所码已过期", "Venue code out of date")
    detail = Text(
        "场所码每5分钟更新，请扫描现场屏幕；过期的码不作登记，也不影响您的健康码。",
        "The code changes every five minutes: scan the screen itself. An old one notes nothing and "
        "does not touch your health code.",
    )


class TooManyVisits(Conflict):
    """More places on one day than anybody enters."""

    code = "too_many_visits"
    title = Text("今日登记次数过多", "Too many visits today")
    detail = Text("今日登记的场所过多。", "Too many places were entered today.")


class OpeningOver(Conflict):
    """An opened record may be read for a day."""

    code = "opening_over"
    title = Text("查阅期限已过", "No longer open")
    detail = Text(
        "到访记录的查阅期限已过，需重新申请。", "The record may be read no more; ask for it anew."
    )


class WindowRefused(Invalid):
    """Full hours, at most fourteen days, begun, and not longer ago than visits are kept."""

    code = "visit_window_refused"
    title = Text("查阅时段不符合要求", "Window not allowed")
    detail = Text(
        "时段须为整点，不超过14天，且在21天保存期内。",
        "A window has full hours, spans at most 14 days, and lies within the 21 days kept.",
    )
