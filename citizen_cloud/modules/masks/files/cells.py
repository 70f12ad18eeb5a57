"""One cell of a stock file to a value; a wrong one is a ``ValueError`` with a fault's code."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime

from citizen_cloud.clock import CITY

MOST_PIECES = 1_000_000
# Full-width digits and letters, as some input methods leave them.
_FOLD = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B)} | {0x3000: 0x20}
_SCIENTIFIC = re.compile(r"[0-9]+(?:\.[0-9]+)?[eE]\+[0-9]+", re.ASCII)
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,31}", re.ASCII)
_NHI_CODE = re.compile(r"[0-9]{6}[0-9A-Z][0-9]{3}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")

Parse = Callable[[str], object]


def plain(text: str) -> str:
    """Return the text of a cell, which is neither a formula nor holds control characters."""
    if text[:1] in ("=", "@", "\t"):
        raise ValueError("formula")
    if _CONTROL.search(text):
        raise ValueError("control_character")
    return text.strip()


def text(longest: int) -> Parse:
    """Return the reader of a text of bounded length."""

    def parse(text: str) -> str:
        value = plain(text)
        if len(value) > longest:
            raise ValueError("too_long")
        return value

    return parse


def folded(text: str) -> str:
    """Return a value in plain digits and letters; it may not be empty."""
    value = plain(text).translate(_FOLD).strip()
    if not value:
        raise ValueError("required")
    return value


def code(text: str) -> str:
    """Return an outlet's number, which spreadsheets like to take for a large number."""
    value = folded(text)
    if _SCIENTIFIC.fullmatch(value):
        raise ValueError("scientific_notation")
    if not _CODE.fullmatch(value):
        raise ValueError("code_invalid")
    return value


def nhi_code(text: str) -> str:
    """Return a number of the health insurance's register: ten characters."""
    value = code(text)
    if re.fullmatch("[0-9]{8,9}", value):
        raise ValueError("leading_zero_lost")
    if not _NHI_CODE.fullmatch(value):
        raise ValueError("code_invalid")
    return value


def number(text: str) -> int:
    """Return a count of pieces."""
    value = folded(text)
    if _SCIENTIFIC.fullmatch(value) or not _NUMBER.fullmatch(value):
        raise ValueError("formula" if value[0] in "+-" else "integer_required")
    if not 0 <= int(value) <= MOST_PIECES:
        raise ValueError("out_of_range")
    return int(value)


def day(text: str) -> date:
    """Return a day, written with - or /."""
    value = folded(text).replace("/", "-")
    if not re.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}", value, re.ASCII):
        raise ValueError("date_required")
    try:
        return date(*map(int, value.split("-")))
    except ValueError as error:
        raise ValueError("date_required") from error


def instant(text: str) -> datetime:
    """Read the open data's time of count; it means +08:00."""
    value = folded(text).replace("/", "-")
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CITY)
    except ValueError as error:
        raise ValueError("time_required") from error


def choice(code: str, words: Mapping[str, str]) -> Parse:
    """Return the reader of one of a few words."""

    def parse(text: str) -> str:
        try:
            return words[folded(text).lower()]
        except KeyError as error:
            raise ValueError(code) from error

    return parse


half = choice("half_required", {"am": "am", "上午": "am", "pm": "pm", "下午": "pm"})
product = choice(
    "class_required",
    {"adult": "adult", "成人": "adult", "child": "child", "儿童": "child", "兒童": "child"},
)
