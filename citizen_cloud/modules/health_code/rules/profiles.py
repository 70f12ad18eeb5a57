"""The three profiles that come with the module, as the data a rule version is made of.

(a) Hangzhou 2020, (b) Hubei 2020, (c) a green that is good for three days. A city starts with
(a) and changes it by a version of its own; nothing here is read once it has one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from citizen_cloud.modules.health_code.rules.events import SYMPTOMS
from citizen_cloud.text import Text

Ending = dict[str, Any]


def _rule(
    name: str, when: dict[str, Any], colour: str, ends: Ending, words: Text
) -> dict[str, Any]:
    return {"id": name, "when": when, "colour": colour, "ends": ends, "text": words.as_json()}


def _by_hand() -> list[dict[str, Any]]:
    return [
        _rule(
            f"assigned_{colour}",
            {"on": "assigned", "colours": [colour]},
            colour,
            {"by": "given"},
            Text(f"经两个部门共同决定赋{zh}码", f"Made {colour} by decision of two authorities"),
        )
        for colour, zh in (("red", "红"), ("yellow", "黄"))
    ]


_RED = (
    (
        "positive_test",
        {"on": "test_result", "results": ["positive"]},
        "检测结果为阳性",
        "A test was positive",
    ),
    (
        "close_contact",
        {"on": "exposure", "classes": ["close"]},
        "您是密切接触者",
        "You are a close contact",
    ),
)
_YELLOW = (
    (
        "exposure",
        {"on": "exposure", "classes": ["secondary", "venue"]},
        "您可能接触过病例",
        "You may have been near a case",
    ),
    ("contact", {"on": "contact"}, "您申报接触过病例", "You declared contact with a case"),
    (
        "symptoms",
        {"on": "symptoms", "any_of": list(SYMPTOMS)},
        "您申报了症状或发热",
        "You declared symptoms or a fever",
    ),
    (
        "risk_trip",
        {"on": "trip", "areas": ["4201"]},
        "您到过风险地区",
        "You were in an area of risk",
    ),
)


def _all(*, red: Ending, red_out: Text, yellow: Ending, yellow_out: Text) -> list[dict[str, Any]]:
    """Return every cause, where the way out of a colour is the same for all of them."""
    ways = (("red", _RED, red, red_out), ("yellow", _YELLOW, yellow, yellow_out))
    found = [
        _rule(name, when, colour, ends, Text(f"{zh}，{out.zh}", f"{en}; {out.en}"))
        for colour, causes, ends, out in ways
        for name, when, zh, en in causes
    ]
    return [*found, *_by_hand()]


HANGZHOU: dict[str, Any] = {
    "fever_c": 37.3,
    "green": {"valid_days": None, "needs": "declaration"},
    "rules": _all(
        red={"by": "check_ins", "days": 14},
        red_out=Text("连续14天每日健康打卡后转绿", "green after 14 daily check-ins in a row"),
        yellow={"by": "check_ins", "days": 7},
        yellow_out=Text("连续7天每日健康打卡后转绿", "green after 7 daily check-ins in a row"),
    ),
}
_QUIET = Text("14天无症状后转绿", "green after 14 days without symptoms")


def _recovering(rule: str) -> dict[str, Any]:
    return _rule(
        f"after_{rule}",
        {"on": "end_of", "rule": rule},
        "yellow",
        {"by": "quiet", "days": 14},
        Text(f"康复或排除后观察，{_QUIET.zh}", f"Watched after recovery or exclusion; {_QUIET.en}"),
    )


HUBEI: dict[str, Any] = {
    "fever_c": 37.3,
    "green": {"valid_days": 7, "needs": "temperature"},
    "rules": [
        *_all(
            red={"by": "release", "days": 14},
            red_out=Text("康复或排除满14天后转黄", "yellow 14 days after recovery or exclusion"),
            yellow={"by": "quiet", "days": 14},
            yellow_out=_QUIET,
        ),
        _recovering("positive_test"),
        _recovering("close_contact"),
        _rule(
            "lapsed",
            {"on": "lapse"},
            "yellow",
            {"by": "quiet", "days": 14},
            Text(
                f"绿码到期前未申报体温；申报体温且{_QUIET.zh}",
                f"No temperature before green ran out; report it, then {_QUIET.en}",
            ),
        ),
    ],
}
THREE_DAYS: dict[str, Any] = {
    "fever_c": 37.3,
    "green": {"valid_days": 3, "needs": "declaration"},
    "rules": _all(
        red={"by": "days", "days": 14},
        red_out=Text("14天后解除", "this ends after 14 days"),
        yellow={"by": "days", "days": 7},
        yellow_out=Text("7天后解除", "this ends after 7 days"),
    ),
}
PROFILES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {"a": HANGZHOU, "b": HUBEI, "c": THREE_DAYS}
)
