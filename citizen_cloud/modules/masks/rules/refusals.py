"""What the masks module refuses, and in which words."""

from typing import Any

from citizen_cloud.errors import Conflict, Invalid
from citizen_cloud.text import Text


class NotEligible(Conflict):
    """This person may not have this offer; the detail says why."""

    code = "not_eligible"
    reason = "not_eligible"
    title = Text("不符合预约条件", "Not eligible")
    detail = Text("您不符合此次预约的条件。", "You do not meet the conditions of this offer.")

    def __init__(self, **facts: Any) -> None:
        super().__init__(reason=self.reason, **facts)


class ChildrenOnly(NotEligible):
    """The offer is for children."""

    reason = "children_only"
    detail = Text("仅限12岁及以下儿童预约。", "Only children up to 12 may book this.")


class AdultsOnly(NotEligible):
    """The offer is not for children."""

    reason = "adults_only"
    detail = Text("12岁及以下儿童不能预约。", "Children up to 12 may not book this.")


class OtherDistrict(NotEligible):
    """The document belongs to another district."""

    reason = "other_district"
    detail = Text(
        "仅限本次活动所列户籍地区的居民预约。",
        "Only residents of the campaign's districts may book this.",
    )


class NotYourDay(NotEligible):
    """Days go by a digit, and this day is another digit's."""

    reason = "not_your_day"
    detail = Text(
        "按尾数分日预约，请选择轮到您的日期。",
        "Days go by the last digit; choose a day that is yours.",
    )


class BirthUnknown(NotEligible):
    """The rule goes by birth, and the document does not tell it."""

    reason = "birth_unknown"
    detail = Text(
        "您的证件无法确认出生日期，请到服务点办理。",
        "Your document does not tell your date of birth; please ask at a service point.",
    )


class QuantityAboveLimit(Invalid):
    """More pieces than anybody may have in one period."""

    code = "quantity_above_limit"
    title = Text("超出每人限量", "Above the limit per person")
    detail = Text("每人最多可预约{most}片。", "At most {most} per person.")


class RationingConflict(Conflict):
    """Two rationings of one product class at the same time would give a double share."""

    code = "rationing_conflict"
    title = Text("限购规则冲突", "Conflicting rationing")
    detail = Text(
        "同一品类在相同日期已有其他限购规则的活动。",
        "Another campaign of this class rations the same days by another profile.",
    )


class OffersConflict(Conflict):
    """Offers of a batch clash with each other or with what is published; nothing was applied."""

    code = "offers_conflict"
    title = Text("投放时段冲突", "Conflicting offers")
    detail = Text(
        "有时段相互冲突或与已发布的时段冲突，全部未发布。",
        "Some offers clash with each other or with published ones; none was published.",
    )


class CampaignOver(Conflict):
    """A closed campaign stays closed."""

    code = "campaign_closed"
    title = Text("活动已结束", "Campaign closed")
    detail = Text("活动已结束，不能再更改。", "The campaign is closed and cannot be changed.")


class WrongOutlet(Conflict):
    """The masks wait at another outlet."""

    code = "wrong_outlet"
    title = Text("不是本网点的预约", "Booked at another outlet")
    detail = Text(
        "该预约须在所预约的网点领取。", "These masks are to be collected at the outlet booked."
    )


class OutletClosed(Conflict):
    """The platform closed the outlet."""

    code = "outlet_closed"
    title = Text("网点已停用", "Outlet closed")
    detail = Text("该网点已停用，不能更改。", "The outlet is closed and cannot be changed.")


class OutsideWindow(Conflict):
    """The collection window has not begun, or is over."""

    code = "outside_window"
    title = Text("不在领取时段内", "Outside the collection window")
    detail = Text("不在预约的领取时段内。", "It is not the time the masks were booked for.")


class UndoTooLate(Conflict):
    """A hand-over can be taken back for five minutes."""

    code = "undo_too_late"
    title = Text("已超过撤销时限", "Too late to undo")
    detail = Text("领取登记只能在5分钟内撤销。", "A hand-over can be undone within 5 minutes.")


class CancelTooLate(Conflict):
    """Once the window has begun the share stays reserved until its end."""

    code = "cancel_too_late"
    title = Text("已不能取消", "Too late to cancel")
    detail = Text(
        "领取时段开始后不能取消预约。", "A booking cannot be cancelled once its window has begun."
    )


class FileRefused(Invalid):
    """The file cannot be read as a stock file; ``report`` says why. Nothing was applied."""

    code = "file_refused"
    title = Text("文件无法读取", "File not readable")
    detail = Text("文件不符合要求，未作任何更改。", "The file was refused; nothing was changed.")


class RowsRejected(Invalid):
    """Some rows are wrong; ``report`` lists them. Nothing was applied."""

    code = "rows_rejected"
    title = Text("部分行有误", "Rows rejected")
    detail = Text(
        "有{rejected}行有误，未作任何更改；可更正后重传，或选择只导入正确的行。",
        "{rejected} rows are wrong and nothing was changed; correct them, or send partial=true.",
    )
