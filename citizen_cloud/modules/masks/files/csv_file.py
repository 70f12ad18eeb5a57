"""CSV to rows of text: UTF-8 with or without its mark, else GB18030; LF or CRLF; strict quotes."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from citizen_cloud.modules.masks.rules.report import FileFault, Row

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_LONE_CR = re.compile("\r(?!\n)")


def decoded(raw: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding. Raises ``FileFault``."""
    if raw.startswith(UTF16) or _looks_like_utf16(raw):
        raise FileFault("utf16")
    if b"\0" in raw:
        raise FileFault("nul")
    has_mark = raw.startswith(codecs.BOM_UTF8)
    for encoding in ("utf-8",) if has_mark else ("utf-8", "gb18030"):
        text = _decoded_as(encoding, raw.removeprefix(codecs.BOM_UTF8))
        if text is not None:
            return text, "utf-8-sig" if has_mark else encoding
    raise FileFault("encoding_unknown")


def _decoded_as(encoding: str, raw: bytes) -> str | None:
    """Return the text; a last UTF-8 character cut in half means the file did not arrive whole."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8" and error.reason == "unexpected end of data":
            raise FileFault("truncated") from error
        return None


def _looks_like_utf16(raw: bytes) -> bool:
    """Tell UTF-16 without a mark by its zeros: every second byte of ASCII is one."""
    head = raw[:64]
    zeros = head.count(b"\0")
    return zeros * 4 >= len(head) and {0} in (set(head[::2]), set(head[1::2]))


def records(text: str) -> Iterator[Row]:
    """Yield records; quotes are taken strictly, and a cut last line refuses the file."""
    if _LONE_CR.search(text):
        raise FileFault("line_ends")
    number, width, cells = 0, 0, list[str]()
    # Not the module's field limit but our own: the limit of csv is one for the whole process.
    lines = io.StringIO(text, newline="")
    try:
        for number, cells in enumerate(csv.reader(lines, strict=True), start=1):
            width = width or len(cells)
            yield Row(number, cells)
    except csv.Error as error:
        code = "cell_too_long" if "limit" in str(error) else "unbalanced_quotes"
        raise FileFault(code, row=number + 1) from error
    if len(cells) < width and not text.endswith("\n"):
        raise FileFault("truncated", row=number)
