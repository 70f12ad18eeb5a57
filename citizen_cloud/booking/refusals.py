"""Why a place is not given, or a booking not changed: the words apps may rely on."""

from citizen_cloud.errors import Conflict
from citizen_cloud.text import Text


class SlotFull(Conflict):
    """No place is left for this many; ``remaining`` says how many there are."""

    code = "full"
    title = Text("名额已满", "Fully booked")
    detail = Text("该时段名额已满，请选择其他时段。", "No place is left; choose another time.")


class SlotClosed(Conflict):
    """The slot takes no bookings any more, or not at present."""

    code = "closed"
    title = Text("预约已截止", "Booking closed")
    detail = Text("该时段已停止预约。", "This slot takes no bookings any more.")


class NotOpen(Conflict):
    """Booking has not begun; ``opens_at`` says when it does."""

    code = "not_open"
    title = Text("预约尚未开始", "Not open yet")
    detail = Text("预约尚未开始，请稍后再来。", "Booking for this slot has not begun yet.")


class LimitReached(Conflict):
    """The person's quota of this period does not allow so many.

    ``max`` and ``used`` count the period; ``again_on`` is the first day a rolling quota allows.
    """

    code = "limit_reached"
    title = Text("已达限购数量", "Quota used up")
    detail = Text("本期可预约数量已用完。", "The quota of this period is used up.")


class AlreadyBooked(Conflict):
    """The person has a booking in this slot; ``booking_id`` names it."""

    code = "already_booked"
    title = Text("您已预约该时段", "Already booked")
    detail = Text("您在该时段已有预约。", "There is a booking for this person in this slot.")


class HoldExpired(Conflict):
    """The time to confirm is over; the places are free again."""

    code = "hold_expired"
    title = Text("保留已超时", "Hold expired")
    detail = Text("保留时间已过，请重新预约。", "The hold has run out; book again.")


class AlreadyRedeemed(Conflict):
    """It was collected or checked in before; ``redeemed_at`` says when."""

    code = "already_redeemed"
    title = Text("已核销", "Already redeemed")
    detail = Text("该预约已核销，不能重复使用。", "This booking was used before.")


class WrongState(Conflict):
    """The booking does not stand where this can be done; ``booking_status`` says where it does."""

    code = "state_conflict"
    title = Text("当前状态不允许", "Not possible in the current state")
    detail = Text("预约的当前状态不允许此操作。", "The booking's status does not allow this.")


class BelowReserved(Conflict):
    """More places are ``taken`` than the new capacity would hold."""

    code = "below_reserved"
    title = Text("低于已预约数量", "Below what is taken")
    detail = Text(
        "已有 {taken} 个名额被预约，容量不能更小。",
        "{taken} places are taken; the capacity cannot be smaller.",
    )
