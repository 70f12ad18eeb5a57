"""What somebody is told when his colour changes, in both languages; it names nobody."""

from collections.abc import Sequence

from citizen_cloud.modules.health_code.rules.colours import Reason
from citizen_cloud.modules.health_code.rules.events import ASSIGN_REASONS
from citizen_cloud.modules.health_code.rules.versions import Colour
from citizen_cloud.text import Text

NAMES: dict[Colour, Text] = {
    "none": Text("无码", "no code"),
    "green": Text("绿码", "green"),
    "yellow": Text("黄码", "yellow"),
    "red": Text("红码", "red"),
}
TITLE = Text("健康码变为{zh}", "Your health code is {en} now")
# Where a person finds the way against it
APPEAL = Text(
    "如有异议，请在“健康码-申诉”中提出，申诉会在规定时限内答复。",
    "If this is wrong, appeal under “Health code – Appeal”; there is a set time for the answer.",
)
ASSIGNED = Text("已为您人工赋码：{zh}", "You were given a colour by hand: {en}")
BEHIND = Text(
    "原因：{zh}，最长{days}天。当前健康码颜色因其他原因未变。",
    "Why: {en}, for {days} days at most. Your code keeps its present colour for another reason.",
)
PAST = Text("健康码曾变为{zh}", "Your health code was {en} for a while")
SINCE = Text(
    "此后颜色又有变化，请以应用内显示的为准。",
    "It has changed again since: what the app shows is what counts.",
)
EASED = Text("所有限制原因均已解除。", "Every reason against it has ended.")
DECLARE = Text("请重新进行健康申报。", "Declare your health again to get a code.")


def colour_notice(colour: Colour, reasons: Sequence[Reason]) -> tuple[Text, Text]:
    """Return title and body: the reason first, then the way to appeal."""
    name = NAMES[colour]
    title = TITLE.filled(zh=name.zh, en=name.en)
    if colour == "green":
        return title, EASED
    if colour == "none":
        return title, DECLARE
    zh = "；".join(reason.text.zh for reason in reasons)
    en = ". ".join(reason.text.en for reason in reasons)
    return title, Text(f"{zh}。{APPEAL.zh}", f"{en}. {APPEAL.en}")


def past_notice(colour: Colour) -> tuple[Text, Text]:
    """Return title and body about a colour that is another one by the time it is told.

    News by hand goes before news of thousands, so what is told last need not have been last.
    """
    name = NAMES[colour]
    body = Text(f"{SINCE.zh}{APPEAL.zh}", f"{SINCE.en} {APPEAL.en}")
    return PAST.filled(zh=name.zh, en=name.en), body


def assigned_notice(colour: Colour, reason: str, days: int) -> tuple[Text, Text]:
    """Return title and body about a colour given by hand that does not show yet."""
    name, why = NAMES[colour], ASSIGN_REASONS[reason]
    title = ASSIGNED.filled(zh=name.zh, en=name.en)
    body = BEHIND.filled(zh=why.zh, en=why.en, days=days)
    return title, Text(f"{body.zh}{APPEAL.zh}", f"{body.en} {APPEAL.en}")
