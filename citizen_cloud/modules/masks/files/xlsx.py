"""XLSX to rows of text, safely: sizes are looked at before anything is unpacked."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import openpyxl

from citizen_cloud.modules.masks.rules.report import MOST_ROWS, FileFault, Row

MOST_PARTS = 200
LARGEST_INSIDE = 120_000_000
MOST_COLUMNS = 100
MACROS = "xl/vbaProject.bin"


def records(raw: bytes) -> Iterator[Row]:
    """Yield the rows of the only sheet that holds data. Raises ``FileFault``."""
    _check_parts(raw)
    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=False)
        yield from _rows(_only_sheet(book))
    except FileFault:
        raise
    # The reader raises whatever its XML parser or a stranger's file makes it raise.
    except Exception as error:
        raise FileFault("not_a_sheet") from error


def _check_parts(raw: bytes) -> None:
    """Refuse a bomb by what its directory declares; unpacking stops at the declared size."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except zipfile.BadZipFile as error:
        raise FileFault("not_a_sheet") from error
    parts = archive.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_INSIDE:
        raise FileFault("too_large_inside")
    if MACROS in archive.namelist():
        raise FileFault("macros")
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            _check_declaration(archive, part)


def _check_declaration(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """Refuse a document type: spreadsheets have none, entity bombs need one."""
    with archive.open(part) as content:
        head = content.read(2_000)
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", head, re.IGNORECASE):
        raise FileFault("not_a_sheet")


def _only_sheet(book: Any) -> Any:
    first, *others = book.worksheets
    if any(_has_data(sheet) for sheet in others):
        raise FileFault("several_sheets")
    return first


def _has_data(sheet: Any) -> bool:
    sheet.reset_dimensions()
    few = sheet.iter_rows(values_only=True, max_row=100)
    return any(value is not None for row in few for value in row)


def _rows(sheet: Any) -> Iterator[Row]:
    # The dimensions a file declares may be wrong or a trap: the rows themselves count.
    sheet.reset_dimensions()
    width = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > MOST_ROWS + 1:
            raise FileFault("too_many_rows")
        cells = [_text(value) for value in values[: MOST_COLUMNS + 1]]
        while cells and not cells[-1]:
            cells.pop()
        # A spreadsheet has no cells behind the last one that was filled.
        width = width or len(cells)
        yield Row(number, cells + [""] * (width - len(cells)))


def _text(value: Any) -> str:
    """Return a cell as it would stand in a CSV file."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        has_time = value.hour or value.minute or value.second
        return value.strftime("%Y-%m-%d %H:%M:%S" if has_time else "%Y-%m-%d")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004
        return str(int(value))
    return str(value)
