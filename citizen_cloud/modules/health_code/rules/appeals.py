"""What may be objected to, and in which words it is answered. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_cloud.text import Text

APPEAL, CORRECTION = "appeal", "correction"
# A colour that was due to turn and did not: the fold answers this one at once where it can.
OVERDUE = "overdue"
REASONS: Mapping[str, Text] = MappingProxyType(
    {
        "not_me": Text("不是我本人", "It was not me"),
        "no_contact": Text("没有接触或未到过", "I met nobody and was not there"),
        "negative_test": Text("检测结果为阴性", "My test was negative"),
        OVERDUE: Text("到期未转码", "It should have turned by now"),
        "other": Text("其他", "Something else"),
    }
)
WRONG: Mapping[str, Text] = MappingProxyType(
    {
        "not_mine": Text("不是我的记录", "The record is not mine"),
        "wrong_result": Text("结果有误", "The result is wrong"),
        "wrong_time": Text("时间有误", "The time is wrong"),
        "other": Text("其他", "Something else"),
    }
)
# Why somebody says no: closed words, so that no officer writes about people.
ANSWERS: Mapping[str, Text] = MappingProxyType(
    {
        "evidence_stands": Text("依据成立", "The evidence stands"),
        "rule_applies": Text("规则适用，到期自动转码", "The rule applies and turns by itself"),
        "no_proof": Text("未能提供证明", "Nothing was shown that proves it"),
        "not_wrong": Text("记录无误", "The record is right"),
    }
)
BY_RULE = "by_rule"
GRANTED = "granted"
_OUTCOMES: Mapping[str, Text] = MappingProxyType(
    {
        GRANTED: Text("已同意并已更正。", "It was agreed to and put right."),
        BY_RULE: Text("已按规则重新计算并转码。", "The rule was applied anew; your code turned."),
    }
)


def outcome_words(status: str, answer: str | None) -> Text:
    """Return what the citizen reads of a decision."""
    if status in _OUTCOMES:
        return _OUTCOMES[status]
    words = ANSWERS.get(answer or "", Text("未说明", "Not given"))
    return Text(f"未予同意：{words.zh}。", f"It was not agreed to: {words.en}.")
