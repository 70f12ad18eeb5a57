"""A CSV file of facts to rows of text: UTF-8 with or without its mark, else GB18030."""

import codecs
import csv
import io
import re

from citizen_cloud.modules.health_code.rules.batches import (
    COLUMNS,
    MOST_FILE_ROWS,
    Fault,
    FileFault,
    Row,
)

LONGEST_CELL = 200
_LONE_CR = re.compile("\r(?!\n)")


def rows_of(raw: bytes) -> tuple[list[Row], list[Fault]]:
    """Return the rows and those of a wrong width. Raises ``FileFault`` for the file as a whole.

    Numbers are those a spreadsheet shows: the header is row 1.
    """
    text = _decoded(raw)
    if not text.strip():
        raise FileFault("empty_file")
    if _LONE_CR.search(text):
        raise FileFault("line_ends")
    rows, faults = list[Row](), list[Fault]()
    for number, cells in _records(text):
        if number == 1:
            if tuple(cell.strip() for cell in cells) != COLUMNS:
                raise FileFault("columns_wrong", row=1)
        elif len(cells) != len(COLUMNS):
            faults.append(Fault(row=number, field=None, code="column_count"))
        else:
            named = zip(COLUMNS, (cell.strip() for cell in cells), strict=True)
            rows.append(Row(number=number, cells=dict(named)))
    if not rows and not faults:
        raise FileFault("no_rows")
    return rows, faults


def _decoded(raw: bytes) -> str:
    has_mark = raw.startswith(codecs.BOM_UTF8)
    for encoding in ("utf-8-sig",) if has_mark else ("utf-8", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            if encoding != "gb18030" and error.reason == "unexpected end of data":
                raise FileFault("truncated") from error
            continue
        if "\0" not in text:
            return text
    raise FileFault("encoding_unknown")


def _records(text: str) -> list[tuple[int, list[str]]]:
    """Take the text apart; a last line that is cut off refuses the file."""
    found: list[tuple[int, list[str]]] = []
    number = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1):
            if len(found) > MOST_FILE_ROWS:
                raise FileFault("too_many_rows")
            if any(len(cell) > LONGEST_CELL for cell in cells):
                raise FileFault("cell_too_long", row=number)
            if cells or number == 1:
                found.append((number, cells))
    except csv.Error as error:
        code = "cell_too_long" if "limit" in str(error) else "unbalanced_quotes"
        raise FileFault(code, row=number + 1) from error
    if not text.endswith("\n") and len(found[-1][1]) < len(COLUMNS):
        raise FileFault("truncated", row=found[-1][0])
    return found
