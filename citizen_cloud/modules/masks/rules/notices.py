"""What holders are told, in both languages; nothing in here names the person."""

from dataclasses import dataclass
from datetime import datetime

from citizen_cloud.clock import local
from citizen_cloud.text import Text


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a message says about a booking."""

    product: Text
    place: Text
    quantity: int
    reference: str
    starts_at: datetime
    ends_at: datetime


_NOTICES: dict[str, tuple[Text, Text]] = {
    "booked": (
        Text("口罩预约成功", "Masks booked"),
        Text(
            "您已预约{product} {quantity} 片。请于 {when} 携带证件到 {place} 领取，"
            "预约号 {reference}。",
            "{quantity} pieces of {product} are booked. Collect them {when} at {place}; bring your "
            "document. Reference {reference}.",
        ),
    ),
    "cancelled": (
        Text("口罩预约已取消", "Mask booking cancelled"),
        Text(
            "预约 {reference}（{when}，{place}）已取消，限购数量已退还。",
            "Booking {reference} ({when}, {place}) is cancelled; your quota is given back.",
        ),
    ),
    "outlet_closed": (
        Text("领取网点停用，预约已取消", "Outlet closed, booking cancelled"),
        Text(
            "{place} 已停用，您的预约 {reference}（{when}）已取消，限购数量已退还，"
            "请改约其他网点。",
            "{place} has closed. Your booking {reference} ({when}) is cancelled and your quota is "
            "given back; please book at another outlet.",
        ),
    ),
    "renewed": (
        Text("请重新打开领取码", "Open your pick-up code again"),
        Text(
            "为安全起见，领取码的签发密钥已更换。预约 {reference}（{when}，{place}）不变；"
            "此前保存的截图不再有效，请在应用中重新打开领取码。",
            "For safety the key that signs pick-up codes was changed. Booking {reference} ({when}, "
            "{place}) stands. A picture of the code that you kept counts no more: open the code "
            "in the app again.",
        ),
    ),
    "expired": (
        Text("口罩预约已过期", "Mask booking expired"),
        Text(
            "预约 {reference} 在 {when} 未领取，已过期并退回库存。",
            "Booking {reference} was not collected {when}; it has expired and the stock is free "
            "again.",
        ),
    ),
    "fulfilled": (
        Text("口罩已领取", "Masks collected"),
        Text(
            "预约 {reference} 的 {product} {quantity} 片已在 {place} 领取。如非本人或代领，"
            "请立即联系网点。",
            "{quantity} pieces of {product} of booking {reference} were handed over at {place}. If "
            "this was not you or somebody you sent, contact the outlet at once.",
        ),
    ),
    "undone": (
        Text("领取登记已撤销", "Hand-over taken back"),
        Text(
            "预约 {reference} 的领取登记已由网点撤销，在 {when} 内仍可领取。",
            "The outlet took back the hand-over of booking {reference}; it can still be collected "
            "{when}.",
        ),
    ),
    "reminder": (
        Text("请按时领取口罩", "Your masks are waiting"),
        Text(
            "请于 {when} 到 {place} 领取{product} {quantity} 片，预约号 {reference}，请携带证件。",
            "Collect {quantity} pieces of {product} {when} at {place}. Reference {reference}; "
            "bring your document.",
        ),
    ),
}


def notice(kind: str, told: Told) -> tuple[Text, Text]:
    """Return title and body of a message."""
    title, body = _NOTICES[kind]
    zh, en = (_facts(told, n) for n in (0, 1))
    return title, Text(body.zh.format(**zh), body.en.format(**en))


def _facts(told: Told, language: int) -> dict[str, object]:
    starts_at, ends_at = local(told.starts_at), local(told.ends_at)
    hours = f"{starts_at:%H:%M}–{ends_at:%H:%M}"
    if language == 0:
        when = f"{starts_at.month}月{starts_at.day}日 {hours}"
    else:
        when = f"on {starts_at.day} {starts_at:%b}, {hours}"
    return {
        "product": told.product[language].lower() if language else told.product[language],
        "place": told.place[language],
        "quantity": told.quantity,
        "reference": told.reference,
        "when": when,
    }
