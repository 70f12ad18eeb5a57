"""What somebody is told when his colour changes, in both languages; it names nobody."""

from collections.abc import Sequence

from citizen_cloud.modules.health_code.rules.colours import Reason
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
