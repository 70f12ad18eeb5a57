"""The row-numbered report of a stock file, and every reason a file or row is refused for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from citizen_cloud.text import Language, Text

MOST_FAULTS_SHOWN = 1_000
MOST_ROWS = 100_000

FAULTS: Mapping[str, Text] = MappingProxyType(
    {
        # The file as a whole
        "empty_file": Text("文件是空的", "The file is empty."),
        "no_rows": Text("文件只有表头，没有数据", "The file has a header and no rows."),
        "utf16": Text(
            "文件是 UTF-16 编码，请另存为 UTF-8 或 GB18030 的 CSV",
            "The file is UTF-16; save it as CSV in UTF-8 or GB18030.",
        ),
        "encoding_unknown": Text(
            "无法识别文件编码，请另存为 UTF-8 的 CSV",
            "The encoding is neither UTF-8 nor GB18030, or mixed; save it as CSV in UTF-8.",
        ),
        "nul": Text("文件含有 NUL 字符，不是文本文件", "The file holds NUL characters."),
        "line_ends": Text(
            "换行符不正确，请使用 CRLF 或 LF",
            "Lines end in CR alone; they must end in CRLF or LF.",
        ),
        "unbalanced_quotes": Text("引号不成对", "Quotation marks do not match."),
        "truncated": Text(
            "最后一行不完整，文件可能没有传完",
            "The last line is cut off; the file did not arrive whole.",
        ),
        "too_many_rows": Text(
            f"数据超过 {MOST_ROWS} 行，请拆分后上传", f"More than {MOST_ROWS} rows; split the file."
        ),
        "cell_too_long": Text("单元格内容过长", "A cell is longer than any value can be."),
        "columns_missing": Text("缺少列", "A column is missing."),
        "columns_unknown": Text("有不认识的列", "A column is not known."),
        "columns_duplicate": Text("列名重复", "A column is there twice."),
        "day_required": Text(
            "此格式没有日期和时段，请在上传时指明 on 和 half",
            "This format names no day; say on= and half= with the upload.",
        ),
        "old_excel": Text(
            "不支持旧版 xls，请另存为 xlsx 或 CSV", "Old .xls is not read; save it as xlsx or CSV."
        ),
        "not_a_sheet": Text("文件不是可读的 xlsx 表格", "The file is not a readable xlsx sheet."),
        "too_large_inside": Text(
            "压缩内容过大", "What the file unpacks to is larger than is read."
        ),
        "macros": Text("含有宏的文件不予读取", "Files with macros are not read."),
        "several_sheets": Text(
            "文件有多个含数据的工作表，请只保留一个",
            "More than one sheet holds data; keep one.",
        ),
        # One row
        "column_count": Text("列数与表头不符", "The row has more or fewer cells than the header."),
        "required": Text("不能为空", "This is required."),
        "formula": Text("不接受公式", "Formulas are not accepted."),
        "control_character": Text("含有控制字符", "Control characters are not allowed."),
        "scientific_notation": Text(
            "编号被表格软件改成了科学记数（如 1.23E+17），请把该列设为文本后重新填写",
            "The spreadsheet turned the code into scientific notation (1.23E+17): "
            "make the column text and enter it again.",
        ),
        "leading_zero_lost": Text(
            "编号位数不足，可能丢失了开头的 0，请把该列设为文本",
            "The code is too short: a leading 0 was probably lost; make the column text.",
        ),
        "code_invalid": Text("编号格式不正确", "The code is not in its register's form."),
        "integer_required": Text("应为整数", "A whole number is expected."),
        "out_of_range": Text("超出允许范围", "This is outside the allowed range."),
        "date_required": Text("日期格式应为 YYYY-MM-DD", "A day YYYY-MM-DD is expected."),
        "time_required": Text(
            "时间格式应为 YYYY/MM/DD HH:MM:SS", "A time YYYY/MM/DD HH:MM:SS is expected."
        ),
        "half_required": Text("时段应为 am/上午 或 pm/下午", "am or pm is expected."),
        "class_required": Text("品类应为 adult/成人 或 child/儿童", "adult or child is expected."),
        "too_long": Text("内容过长", "This is too long."),
        "address_unknown": Text("地址看不出县市", "The address names no county."),
        "repeated": Text("与前面的行重复", "The same outlet, half-day and class stood above."),
        "unknown_outlet": Text("没有此网点", "There is no such outlet."),
        "outlet_closed": Text("网点已停用", "The outlet is closed."),
        "no_campaign": Text("该日期没有此品类的活动", "No campaign of this class covers the day."),
        "campaign_ambiguous": Text(
            "该日期有多个此品类的活动，请由管理员先投放时段",
            "Several campaigns of this class cover the day; let the platform publish the offer.",
        ),
        "window_over": Text("领取时段已结束", "The collection window is over."),
        "windows_overlap": Text(
            "与该网点的其他时段重叠", "This overlaps another window of the outlet."
        ),
        "below_reserved": Text("少于已被预约的数量", "This is less than what is reserved already."),
    }
)


@dataclass(frozen=True)
class Row:
    """One row of text; ``number`` is what a spreadsheet shows beside it."""

    number: int
    cells: list[str]


class FileFault(Exception):
    """The file as a whole cannot be taken."""

    def __init__(self, code: str, *, row: int | None = None, column: str | None = None) -> None:
        super().__init__(code)
        self.faults = [Fault(row=row, column=column, code=code)]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong in one place. Rows count as a spreadsheet does: the header is row 1."""

    row: int | None
    column: str | None
    code: str

    def as_json(self, language: Language) -> dict[str, Any]:
        """Return the fault with its words in one language."""
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "message": FAULTS[self.code].in_language(language),
        }


@dataclass(kw_only=True)
class Report:
    """What became of a file: every row is either accepted or rejected."""

    checksum: str
    encoding: str | None = None
    rows_in: int = 0
    rejected: int = 0
    changed: int = 0
    unchanged: int = 0
    applied: bool = False
    faults: list[Fault] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Return the rows that are right."""
        return self.rows_in - self.rejected

    def reject(self, faults: list[Fault]) -> None:
        """Note faults; a row with several of them is rejected once."""
        self.faults.extend(faults)
        self.rejected = len({fault.row for fault in self.faults if fault.row is not None})

    def as_json(self, language: Language) -> dict[str, Any]:
        """Return the report; of very many faults the first thousand, and how many there are."""
        shown = sorted(self.faults, key=lambda fault: fault.row or 0)[:MOST_FAULTS_SHOWN]
        return {
            "rows_in": self.rows_in,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "applied": self.applied,
            "encoding": self.encoding,
            "checksum": self.checksum,
            "error_count": len(self.faults),
            "errors": [fault.as_json(language) for fault in shown],
        }
