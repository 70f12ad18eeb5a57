"""Rows an authority reports, the report it gets back, and every reason a row is refused. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from citizen_cloud.clock import CITY
from citizen_cloud.modules.health_code.rules.events import EXPOSURES, RESULTS, Kind
from citizen_cloud.text import Language, Text

MOST_JSON_ROWS = 1_000
MOST_FILE_ROWS = 20_000
MOST_FAULTS_SHOWN = 1_000
LONGEST_REFERENCE = 64
HOUR = timedelta(hours=1)
# What happened longer ago changes no colour any more.
OLDEST = timedelta(days=60)
# A source's clock may run a little ahead of ours.
SKEW = timedelta(minutes=2)

COLUMNS = (
    "document_type",
    "document_number",
    "name",
    "kind",
    "detail",
    "occurred_at",
    "evidence_class",
    "evidence_reference",
)
# What a kind says besides having happened.
DETAILS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"test_result": RESULTS, "exposure": EXPOSURES, "recovery": ("",), "exclusion": ("",)}
)
# The member of the event's facts that the detail becomes
_MEMBER = {"test_result": "result", "exposure": "class"}
KINDS: tuple[Kind, ...] = ("test_result", "exposure", "recovery", "exclusion")
EVIDENCE = ("laboratory", "survey", "medical", "document")
FAULTS: Mapping[str, Text] = MappingProxyType(
    {
        "empty_file": Text("文件是空的", "The file is empty."),
        "no_rows": Text("文件只有表头，没有数据", "The file has a header and no rows."),
        "encoding_unknown": Text(
            "无法识别文件编码，请使用 UTF-8 或 GB18030",
            "The encoding is neither UTF-8 nor GB18030.",
        ),
        "line_ends": Text("换行符不正确", "Lines must end in CRLF or LF."),
        "unbalanced_quotes": Text("引号不成对", "Quotation marks do not match."),
        "truncated": Text(
            "最后一行不完整，文件可能没有传完",
            "The last line is cut off; the file did not arrive whole.",
        ),
        "too_many_rows": Text(
            f"数据超过 {MOST_FILE_ROWS} 行，请拆分后报送",
            f"More than {MOST_FILE_ROWS} rows; split the file.",
        ),
        "cell_too_long": Text("单元格内容过长", "A cell is longer than any value can be."),
        "columns_wrong": Text(
            "表头应为:" + ",".join(COLUMNS), "The header must be: " + ",".join(COLUMNS)
        ),
        "column_count": Text("列数与表头不符", "The row has more or fewer cells than the header."),
        "control_character": Text("含有控制字符", "Control characters are not allowed."),
        "document_invalid": Text("证件号码不正确", "The document number is not valid."),
        "name_invalid": Text("姓名格式不正确", "The name is not valid."),
        "kind_unknown": Text("没有此类数据", "There is no such kind."),
        "kind_not_permitted": Text(
            "此来源不得报送该类数据", "The source may not report this kind."
        ),
        "detail_invalid": Text("此类数据没有该取值", "This kind has no such detail."),
        "instant_required": Text(
            "时间应为带时区的 RFC 3339 格式", "An RFC 3339 instant with its offset is expected."
        ),
        "in_future": Text("时间晚于现在", "This has not happened yet."),
        "too_old": Text("时间过早", "This happened too long ago."),
        "evidence_unknown": Text("没有此类证据", "There is no such class of evidence."),
        "evidence_required": Text("缺少证据编号", "The evidence's own number is missing."),
        "repeated": Text("与前面的行重复", "The same fact stood above."),
    }
)
_REFERENCE = re.compile(r"[0-9A-Za-z一-鿿〇()（）〔〕\[\]/#:_. -]{4,64}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of text as it came; ``number`` is what the report names it by."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A row that is right in itself; whose document it is stands in the cells."""

    row: Row
    kind: Kind
    detail: str
    occurred_at: datetime
    evidence_class: str
    evidence_reference: str

    @property
    def payload(self) -> dict[str, str]:
        """Return the event's own facts."""
        member = _MEMBER.get(self.kind)
        return {} if member is None else {member: self.detail}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong in one place; never the value itself."""

    row: int | None
    field: str | None
    code: str

    def as_json(self, language: Language) -> dict[str, Any]:
        """Return the fault with its words in one language."""
        words = FAULTS[self.code].in_language(language)
        return {"row": self.row, "field": self.field, "code": self.code, "message": words}


class FileFault(Exception):
    """The file as a whole cannot be taken."""

    def __init__(self, code: str, *, row: int | None = None) -> None:
        super().__init__(code)
        self.fault = Fault(row=row, field=None, code=code)


@dataclass(kw_only=True)
class Report:
    """What became of every row: it is accepted or rejected, once."""

    rows_in: int
    faults: list[Fault] = field(default_factory=list)

    @property
    def rejected(self) -> int:
        """Return how many rows have a fault."""
        return len({fault.row for fault in self.faults})

    @property
    def accepted(self) -> int:
        """Return how many rows are right."""
        return self.rows_in - self.rejected

    def stored(self) -> dict[str, Any]:
        """Return the faults as they are kept: numbers and codes, and only the first thousand."""
        shown = sorted(self.faults, key=lambda fault: fault.row or 0)[:MOST_FAULTS_SHOWN]
        return {"errors": [{"row": f.row, "field": f.field, "code": f.code} for f in shown]}


def fact_of(row: Row, *, kinds: frozenset[str], now: datetime) -> Fact | Fault:
    """Return what a row says, or the first thing wrong with it."""
    for check in (_text, _kind, _time, _evidence):
        found = check(row, kinds, now)
        if found is not None:
            return Fault(row=row.number, field=found[0], code=found[1])
    cells = row.cells
    return Fact(
        row=row,
        kind=next(kind for kind in KINDS if kind == cells["kind"]),
        detail=cells["detail"],
        # A clock that runs ahead a little does not make it later than now.
        occurred_at=min(_instant(cells["occurred_at"]) or now, now),
        evidence_class=cells["evidence_class"],
        evidence_reference=cells["evidence_reference"],
    )


Wrong = tuple[str, str] | None


def _text(row: Row, kinds: frozenset[str], now: datetime) -> Wrong:
    del kinds, now
    for name in COLUMNS:
        if _CONTROL.search(row.cells[name]):
            return name, "control_character"
    return None


def _kind(row: Row, kinds: frozenset[str], now: datetime) -> Wrong:
    del now
    kind = row.cells["kind"]
    if kind not in DETAILS:
        return "kind", "kind_unknown"
    if kind not in kinds:
        return "kind", "kind_not_permitted"
    return None if row.cells["detail"] in DETAILS[kind] else ("detail", "detail_invalid")


def _time(row: Row, kinds: frozenset[str], now: datetime) -> Wrong:
    del kinds
    at = _instant(row.cells["occurred_at"])
    if at is None:
        return "occurred_at", "instant_required"
    if at > now + SKEW:
        return "occurred_at", "in_future"
    return ("occurred_at", "too_old") if at < now - OLDEST else None


def _evidence(row: Row, kinds: frozenset[str], now: datetime) -> Wrong:
    del kinds, now
    if row.cells["evidence_class"] not in EVIDENCE:
        return "evidence_class", "evidence_unknown"
    is_given = _REFERENCE.fullmatch(row.cells["evidence_reference"])
    return None if is_given else ("evidence_reference", "evidence_required")


def _instant(text: str) -> datetime | None:
    """Read an instant; one without an offset is the city's, as laboratories write it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=CITY)).astimezone(UTC)
