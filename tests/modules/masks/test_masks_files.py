"""Stock files: what is read, and each thing a file or a row is refused for."""

import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from citizen_cloud.modules.masks.files import sheets, stock
from citizen_cloud.modules.masks.rules.report import FAULTS, MOST_ROWS, FileFault

SHARED = Path(__file__).parents[4] / "shared" / "data" / "mask-stock-2020-03-03.csv"
HEADER = "outlet_code,window_on,half,product_class,capacity"
GOOD = "PH001,2026-11-24,am,adult,200"
ZH = "药店编号,日期,时段,品类,数量\nPH001,2026-11-24,上午,成人,200\n"
NHI = "醫事機構代碼,醫事機構名稱,醫事機構地址,醫事機構電話,成人口罩剩餘數,兒童口罩剩餘數,來源資料時間\n"
ON = {"on": date(2026, 11, 24), "half": "am"}


def read(raw, **options):
    return stock.stocks(sheets.read(raw), **options)


def xlsx(*rows, sheets_more=(), **cells):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name in sheets_more:
        book.create_sheet(name).append(["more"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (f"{HEADER}\n{GOOD}\n".encode(), "utf-8"),
        (f"{HEADER}\r\n{GOOD}\r\n".encode(), "utf-8"),
        (f"{HEADER}\n{GOOD}".encode(), "utf-8"),
        (f"{HEADER}\n{GOOD}\n\n,,,,\n".encode(), "utf-8"),
        (b"\xef\xbb\xbf" + ZH.encode(), "utf-8-sig"),
        (ZH.encode(), "utf-8"),
        (ZH.encode("gb18030"), "gb18030"),
        (
            "药店编号,日期,时段,品类,数量\nＰＨ００１,２０２６-11-24,上午,成人,２００\n".encode(),
            "utf-8",
        ),
        ("数量,品类,时段,日期,药店编号\n200,成人,am,2026/11/24,PH001\n".encode(), "utf-8"),
        (f'{HEADER}\n"PH001","2026-11-24","am","adult","200"\n'.encode(), "utf-8"),
    ],
)
def test_what_people_send_is_read_and_its_encoding_said(raw, encoding):
    found = read(raw)
    assert (found.encoding, found.rows_in, found.faults) == (encoding, 1, [])
    only = found.stocks[0]
    assert (only.code, only.window_on, only.half, only.product_class, only.capacity) == (
        "PH001",
        date(2026, 11, 24),
        "am",
        "adult",
        200,
    )


REFUSED = {
    "empty": (b"", "empty_file"),
    "blank": (b" \r\n \n", "empty_file"),
    "only header": (f"{HEADER}\n".encode(), "no_rows"),
    "utf-16 with mark": (f"{HEADER}\n{GOOD}\n".encode("utf-16"), "utf16"),
    "utf-16 without": (f"{HEADER}\n{GOOD}\n".encode("utf-16-le"), "utf16"),
    "nul": (f"{HEADER}\nPH\0001,2026-11-24,am,adult,2\n".encode(), "nul"),
    "mixed": (
        f"{HEADER}\nPH001,2026-11-24,上午,adult,2\n".encode() + b"\xff\xff\xff,a\n",
        "encoding_unknown",
    ),
    "marked utf-8 that is not": (b"\xef\xbb\xbf" + ZH.encode("gb18030"), "encoding_unknown"),
    "cut inside a character": ((HEADER + "\nPH001,2026-11-24,上午").encode()[:-1], "truncated"),
    "last line cut": (f"{HEADER}\n{GOOD}\nPH002,2026-11-24,am".encode(), "truncated"),
    "cr only": (f"{HEADER}\r{GOOD}\r".encode(), "line_ends"),
    "quote left open": (f'{HEADER}\n"PH001,2026-11-24,am,adult,2\n'.encode(), "unbalanced_quotes"),
    "text behind a quote": (
        f'{HEADER}\n"PH001"x,2026-11-24,am,adult,2\n'.encode(),
        "unbalanced_quotes",
    ),
    "one cell of a megabyte": (
        f"{HEADER}\n{'9' * 1_000_000},2026-11-24,am,adult,2\n".encode(),
        "cell_too_long",
    ),
    "one cell of 600": (f"{HEADER}\n{'9' * 600},2026-11-24,am,adult,2\n".encode(), "cell_too_long"),
    "missing column": (
        b"outlet_code,window_on,half,product_class\nPH001,2026-11-24,am,adult\n",
        "columns_missing",
    ),
    "extra column": (f"{HEADER},note\n{GOOD},x\n".encode(), "columns_unknown"),
    "renamed column": (
        f"{HEADER}\n{GOOD}\n".replace("capacity", "pieces").encode(),
        "columns_unknown",
    ),
    "double column": (f"{HEADER},capacity\n{GOOD},2\n".encode(), "columns_duplicate"),
    "double by language": (f"{HEADER},数量\n{GOOD},2\n".encode(), "columns_duplicate"),
    "no header": (f"{GOOD}\n{GOOD}\n".encode(), "columns_unknown"),
    "open data without a day": (
        (NHI + "0145080011,甲,花蓮縣豐濱鄉1號,,1,1,2020/03/03 11:23:40\n").encode(),
        "day_required",
    ),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old_excel"),
    "cut xlsx": (xlsx(HEADER.split(","), GOOD.split(","))[:-200], "not_a_sheet"),
    "zip that is no sheet": (b"PK\x03\x04" + b"x" * 100, "not_a_sheet"),
    "two sheets": (
        xlsx(HEADER.split(","), GOOD.split(","), sheets_more=("more",)),
        "several_sheets",
    ),
    "image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "nul"),
}


@pytest.mark.parametrize(("raw", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_trusted_is_refused_whole(raw, code):
    with pytest.raises(FileFault) as caught:
        read(raw)
    assert caught.value.faults[0].code == code
    assert all(FAULTS[fault.code] for fault in caught.value.faults)


def test_rows_in_another_encoding_than_the_header_are_not_taken():
    header, row, _ = ZH.split("\n")
    found = read(header.encode("gb18030") + b"\n" + row.encode() + b"\n")
    assert (found.encoding, found.stocks) == ("gb18030", [])
    assert {fault.row for fault in found.faults} == {2}


def test_every_wrong_column_is_named():
    with pytest.raises(FileFault) as caught:
        read(b"outlet_code,window_on,half,class,capacity,capacity\na,b,c,d,e,f\n")
    assert {(fault.column, fault.code) for fault in caught.value.faults} == {
        ("class", "columns_unknown"),
        ("product_class", "columns_missing"),
        ("capacity", "columns_duplicate"),
    }


@pytest.mark.parametrize(
    ("line", "column", "code"),
    [
        ("1.23E+17,2026-11-24,am,adult,2", "outlet_code", "scientific_notation"),
        ("3E+09,2026-11-24,am,adult,2", "outlet_code", "scientific_notation"),
        (",2026-11-24,am,adult,2", "outlet_code", "required"),
        ("=1+1,2026-11-24,am,adult,2", "outlet_code", "formula"),
        ("@SUM(A1),2026-11-24,am,adult,2", "outlet_code", "formula"),
        ("PH 1,2026-11-24,am,adult,2", "outlet_code", "code_invalid"),
        ('"PH\n1",2026-11-24,am,adult,2', "outlet_code", "control_character"),
        ("PH1,24.11.2026,am,adult,2", "window_on", "date_required"),
        ("PH1,2026-02-30,am,adult,2", "window_on", "date_required"),
        ("PH1,2026-11-24,noon,adult,2", "half", "half_required"),
        ("PH1,2026-11-24,am,senior,2", "product_class", "class_required"),
        ("PH1,2026-11-24,am,adult,", "capacity", "required"),
        ("PH1,2026-11-24,am,adult,2.5", "capacity", "integer_required"),
        ("PH1,2026-11-24,am,adult,1_000", "capacity", "integer_required"),
        ("PH1,2026-11-24,am,adult,-1", "capacity", "out_of_range"),
        ("PH1,2026-11-24,am,adult,=2", "capacity", "formula"),
        ("PH1,2026-11-24,am,adult,+2", "capacity", "formula"),
        ("PH1,2026-11-24,am,adult,1000001", "capacity", "out_of_range"),
        ("PH1,2026-11-24,am,adult,1E+17", "capacity", "integer_required"),
        ("PH1,2026-11-24,am,adult", None, "column_count"),
        ("PH1,2026-11-24,am,adult,2,9", None, "column_count"),
    ],
)
def test_a_wrong_row_is_reported_by_number_and_column(line, column, code):
    found = read(f"{HEADER}\n{GOOD}\n{line}\n".encode())
    assert [(fault.row, fault.column, fault.code) for fault in found.faults] == [(3, column, code)]
    assert (found.rows_in, len(found.stocks)) == (2, 1)


def test_a_row_that_repeats_an_outlet_half_day_and_class_is_reported():
    found = read(f"{HEADER}\n{GOOD}\n{GOOD}\n".encode())
    assert [(fault.row, fault.code) for fault in found.faults] == [(3, "repeated")]


def test_the_same_sheet_as_xlsx_reads_the_same_whatever_the_file_is_called():
    found = read(
        xlsx(
            ["药店编号", "日期", "时段", "品类", "数量"],
            ["PH001", datetime(2026, 11, 24), "上午", "成人", 200.0],  # noqa: DTZ001
            [10001, date(2026, 11, 24), "pm", "child", "３０"],
            [None, None, None, None, None],
        )
    )
    assert (found.encoding, found.rows_in, found.faults) == ("xlsx", 2, [])
    assert [(s.code, s.window_on, s.half, s.capacity) for s in found.stocks] == [
        ("PH001", date(2026, 11, 24), "am", 200),
        ("10001", date(2026, 11, 24), "pm", 30),
    ]


def test_a_formula_in_xlsx_is_refused_like_one_in_csv():
    found = read(xlsx(HEADER.split(","), ["PH001", "2026-11-24", "am", "adult", "=100+100"]))
    assert [(fault.row, fault.code) for fault in found.faults] == [(2, "formula")]


def rewritten(raw, change):
    """Return the xlsx with parts replaced, added (None before) or declared otherwise."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.infolist():
            new.writestr(part.filename, change.pop(part.filename, old.read(part)))
        for name, content in change.items():
            new.writestr(name, content)
    return out.getvalue()


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    good = xlsx(HEADER.split(","), GOOD.split(","))
    bomb = rewritten(good, {"xl/bomb.xml": b"0" * 130_000_000})
    assert len(bomb) < 300_000
    with pytest.raises(FileFault, match="too_large_inside"):
        read(bomb)
    many = rewritten(good, {f"xl/{n}.bin": b"" for n in range(250)})
    with pytest.raises(FileFault, match="too_large_inside"):
        read(many)


def test_macros_and_entity_bombs_are_refused():
    good = xlsx(HEADER.split(","), GOOD.split(","))
    with pytest.raises(FileFault, match="macros"):
        read(rewritten(good, {"xl/vbaProject.bin": b"x"}))
    entity = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">]><worksheet>&a;</worksheet>'
    with pytest.raises(FileFault, match="not_a_sheet"):
        read(rewritten(good, {"xl/worksheets/sheet1.xml": entity}))


def test_70_001_rows_are_all_counted_and_more_than_the_limit_are_refused():
    line = "PH{0:06d},2026-11-24,am,adult,2\n"
    found = read((HEADER + "\n" + "".join(line.format(n) for n in range(70_001))).encode())
    assert (found.rows_in, len(found.stocks), found.faults) == (70_001, 70_001, [])
    with pytest.raises(FileFault, match="too_many_rows"):
        sheets.read((HEADER + "\n" + (GOOD + "\n") * (MOST_ROWS + 1)).encode())


def test_open_data_gives_two_numbers_a_row_with_place_and_time():
    row = "0145080011,豐濱原住民分院,花蓮縣豐濱鄉豐濱村光豐路４１號,(03)8358141,2413,1696,2020/03/03 11:23:40\n"
    found = read((NHI + row).encode(), **ON)
    assert found.faults == []
    assert [(s.product_class, s.capacity, s.register, s.row) for s in found.stocks] == [
        ("adult", 2413, "nhi-tw", 2),
        ("child", 1696, "nhi-tw", 2),
    ]
    first = found.stocks[0]
    assert (first.outlet.county, first.outlet.town) == ("花蓮縣", "豐濱鄉")
    assert first.counted_at == datetime(2020, 3, 3, 3, 23, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("145080011,甲,花蓮縣豐濱鄉1號,,1,1,2020/03/03 11:23:40", "leading_zero_lost"),
        ("1.45E+09,甲,花蓮縣豐濱鄉1號,,1,1,2020/03/03 11:23:40", "scientific_notation"),
        ("01450800XYZ1,甲,花蓮縣豐濱鄉1號,,1,1,2020/03/03 11:23:40", "code_invalid"),
        ("0145080011,甲,某處1號,,1,1,2020/03/03 11:23:40", "address_unknown"),
        ("0145080011,,花蓮縣豐濱鄉1號,,1,1,2020/03/03 11:23:40", "required"),
        ("0145080011,甲,花蓮縣豐濱鄉1號,,1,1,03.03.2020", "time_required"),
        (f"0145080011,{'甲' * 101},花蓮縣豐濱鄉1號,,1,1,2020/03/03 11:23:40", "too_long"),
    ],
)
def test_a_wrong_row_of_open_data_is_reported(row, code):
    found = read((NHI + row + "\n").encode(), **ON)
    assert [fault.code for fault in found.faults] == [code]
    assert found.stocks == []


@pytest.mark.skipif(not SHARED.exists(), reason="the published file is not on this machine")
def test_the_published_file_is_read_whole():
    found = read(SHARED.read_bytes(), **ON)
    assert (found.encoding, found.rows_in, len(found.stocks)) == ("utf-8-sig", 6_588, 13_176)
    assert found.faults == []
    assert sum(s.capacity for s in found.stocks if s.product_class == "adult") > 1_000_000
