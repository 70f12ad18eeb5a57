"""What administrators may set of the powers here, as the switchboard holds it now."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.manifest import Setting
from citizen_cloud.text import Text

SETTINGS = (
    Setting(
        name="assign_cap",
        title=Text("一次人工赋码最多人数", "Most people in one proposal of a colour"),
        kind="integer",
        default=50,
        minimum=1,
        maximum=200,
    ),
    Setting(
        name="area_rate",
        title=Text(
            "同一地区一小时内人工赋码人数，超过须第三人批准",
            "Colours by hand in one area within an hour above which a third must agree",
        ),
        kind="integer",
        default=100,
        minimum=1,
        maximum=1_000,
    ),
    Setting(
        name="appeal_hours",
        title=Text("申诉处理时限（小时）", "Hours in which an appeal is answered"),
        kind="integer",
        default=24,
        minimum=1,
        maximum=72,
    ),
)
_DEFAULTS: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
_HELD = text("SELECT settings -> :name FROM registry.module WHERE name = 'health_code'")


def limit(session: Session, name: str) -> int:
    """Return one of them; what nobody set is its default."""
    held = session.scalar(_HELD, {"name": name})
    return int(_DEFAULTS[name] if held is None else held)
