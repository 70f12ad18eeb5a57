"""Bytes to rows of text: CSV in UTF-8 or GB18030, and XLSX, told apart by their first bytes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from citizen_cloud.modules.masks.files import csv_file, xlsx
from citizen_cloud.modules.masks.rules.report import MOST_ROWS, FileFault, Row

ZIP = b"PK\x03\x04"
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
LONGEST_CELL = 500


@dataclass(frozen=True)
class Sheet:
    """A file's header and rows."""

    encoding: str
    header: list[str]
    rows: list[Row]


def checksum(raw: bytes) -> bytes:
    """Return the SHA-256 of the file as it came."""
    return hashlib.sha256(raw).digest()


def read(raw: bytes) -> Sheet:
    """Read a file, whatever its name says it is. Raises ``FileFault``."""
    if not raw.strip():
        raise FileFault("empty_file")
    if raw.startswith(OLD_EXCEL):
        raise FileFault("old_excel")
    if raw.startswith(ZIP):
        return _sheet("xlsx", xlsx.records(raw))
    text, encoding = csv_file.decoded(raw)
    return _sheet(encoding, csv_file.records(text))


def _sheet(encoding: str, records: Iterable[Row]) -> Sheet:
    header: list[str] | None = None
    rows: list[Row] = []
    for record in records:
        if not any(cell.strip() for cell in record.cells):
            continue
        if any(len(cell) > LONGEST_CELL for cell in record.cells):
            raise FileFault("cell_too_long", row=record.number)
        if header is None:
            header = [cell.strip() for cell in record.cells]
            continue
        rows.append(record)
        if len(rows) > MOST_ROWS:
            raise FileFault("too_many_rows")
    if header is None:
        raise FileFault("empty_file")
    if not rows:
        raise FileFault("no_rows")
    return Sheet(encoding, header, rows)
