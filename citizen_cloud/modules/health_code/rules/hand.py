"""Colours by hand: which reasons there are, how many at once, and when a third must agree. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from citizen_cloud.text import Text

COLOURS = ("yellow", "red")
# More than any proposal may hold, so that one far above the cap is read, refused and rung for.
MOST_READ = 5_000
LONGEST_DAYS = 28
APPROVALS = 2
APPROVALS_ABOVE_RATE = 3

CORRECT_REASONS: Mapping[str, Text] = MappingProxyType(
    {
        "appeal_granted": Text("申诉成立", "An appeal was right"),
        "wrong_person": Text("赋码对象有误", "It was another person"),
        "wrong_data": Text("数据有误", "The data were wrong"),
        "no_basis": Text("赋码依据不足", "There was no ground for it"),
    }
)
REGISTER_REASONS: Mapping[str, Text] = MappingProxyType(
    {
        "new_source": Text("新增数据来源", "Another source of data"),
        "new_key": Text("更换密钥", "Another key"),
    }
)
RETIRE_REASONS: Mapping[str, Text] = MappingProxyType(
    {
        "no_longer_needed": Text("不再需要", "No longer needed"),
        "key_lost": Text("密钥泄露或丢失", "Its key was lost or known"),
        "misuse": Text("滥用", "Misuse"),
    }
)
RELEASE_REASONS: Mapping[str, Text] = MappingProxyType(
    {"above_cap": Text("超出每小时限量", "More than the source may send in an hour")}
)


def speaks_for(kind: str, payload: Mapping[str, Any]) -> bool:
    """Return whether a person may be worse off without such an event."""
    if kind == "test_result":
        return payload.get("result") == "negative"
    return kind not in {"assigned", "exposure", "trip"}


def approvals_needed(*, before: int, more: int, rate: int) -> int:
    """Return how many must agree to so many colours in one area within the hour."""
    return APPROVALS_ABOVE_RATE if before + more > rate else APPROVALS
