"""Rows of a stock file to stock counts: our own template, and the health insurance's open data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from citizen_cloud.modules.masks.files import cells
from citizen_cloud.modules.masks.files.cells import Parse
from citizen_cloud.modules.masks.files.sheets import Sheet
from citizen_cloud.modules.masks.rules.rationing import PRODUCT_CLASSES
from citizen_cloud.modules.masks.rules.report import Fault, FileFault, Row
from citizen_cloud.organisations.rules import county_and_town

NHI = "nhi-tw"


@dataclass(frozen=True, kw_only=True)
class Outlet:
    """What an open-data row says of its outlet."""

    name: str
    address: str
    phone: str | None
    county: str
    town: str


@dataclass(frozen=True, kw_only=True)
class Stock:
    """One number of a file: so many pieces at an outlet for a half-day."""

    row: int
    column: str
    register: str | None
    code: str
    window_on: date
    half: str
    product_class: str
    capacity: int
    counted_at: datetime | None = None
    outlet: Outlet | None = None


@dataclass(frozen=True)
class Stocks:
    """What a file says, and what is wrong with it; ``rows_in`` counts rows, not numbers."""

    encoding: str
    rows_in: int
    stocks: list[Stock]
    faults: list[Fault]


TEMPLATE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "code": ("outlet_code", "药店编号"),
        "window_on": ("window_on", "日期"),
        "half": ("half", "时段"),
        "product_class": ("product_class", "品类"),
        "capacity": ("capacity", "数量"),
    }
)
OPEN_DATA: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "code": ("醫事機構代碼",),
        "name": ("醫事機構名稱",),
        "address": ("醫事機構地址",),
        "phone": ("醫事機構電話",),
        "adult": ("成人口罩剩餘數",),
        "child": ("兒童口罩剩餘數",),
        "counted_at": ("來源資料時間",),
    }
)
TEMPLATE_CELLS: dict[str, Parse] = {
    "code": cells.code,
    "window_on": cells.day,
    "half": cells.half,
    "product_class": cells.product,
    "capacity": cells.number,
}
OPEN_DATA_CELLS: dict[str, Parse] = {
    "code": cells.nhi_code,
    "name": cells.text(100),
    "address": cells.text(200),
    "phone": cells.text(32),
    "adult": cells.number,
    "child": cells.number,
    "counted_at": cells.instant,
}


@dataclass(frozen=True)
class _Form:
    names: Mapping[str, tuple[str, ...]]
    parsers: Mapping[str, Parse]


_FORMS = (_Form(TEMPLATE, TEMPLATE_CELLS), _Form(OPEN_DATA, OPEN_DATA_CELLS))


def stocks(sheet: Sheet, *, on: date | None = None, half: str | None = None) -> Stocks:
    """Return what a sheet says. ``on`` and ``half`` are for open data, which names no window.

    Raises ``FileFault`` for a header that is neither of the two forms.
    """
    form = max(_FORMS, key=lambda f: len(_known(f, sheet.header)))
    places = _places(form, sheet.header)
    if form.names is OPEN_DATA and (on is None or half is None):
        raise FileFault("day_required")
    found = Stocks(sheet.encoding, len(sheet.rows), [], [])
    for row in sheet.rows:
        values, faults = _values(form, places, row, len(sheet.header))
        if not faults:
            outcome = _stocks_of(form, row, values, on, half)
            faults = [outcome] if isinstance(outcome, Fault) else []
            found.stocks.extend([] if isinstance(outcome, Fault) else outcome)
        found.faults.extend(faults)
    return _without_repeats(found)


def _known(form: _Form, header: list[str]) -> set[str]:
    names = {name for several in form.names.values() for name in several}
    return names.intersection(header)


def _places(form: _Form, header: list[str]) -> dict[str, int]:
    """Return where each member's column is; missing, unknown and double columns are refused."""
    known = _known(form, header)
    faults = [
        Fault(row=1, column=name[:50], code="columns_unknown")
        for name in header
        if name not in known
    ]
    places: dict[str, int] = {}
    for member, names in form.names.items():
        found = [place for place, name in enumerate(header) if name in names]
        places[member] = found[0] if found else -1
        if len(found) != 1:
            code = "columns_duplicate" if found else "columns_missing"
            faults.append(Fault(row=1, column=names[0], code=code))
    if faults:
        refused = FileFault(faults[0].code)
        refused.faults = faults
        raise refused
    return places


def _values(
    form: _Form, places: dict[str, int], row: Row, width: int
) -> tuple[dict[str, Any], list[Fault]]:
    if len(row.cells) != width:
        return {}, [Fault(row=row.number, column=None, code="column_count")]
    values: dict[str, Any] = {}
    faults = []
    for member, parse in form.parsers.items():
        try:
            values[member] = parse(row.cells[places[member]])
        except ValueError as error:
            faults.append(Fault(row=row.number, column=form.names[member][0], code=str(error)))
    return values, faults


def _stocks_of(
    form: _Form, row: Row, values: dict[str, Any], on: date | None, half: str | None
) -> list[Stock] | Fault:
    if form.names is TEMPLATE:
        column = form.names["capacity"][0]
        return [Stock(row=row.number, column=column, register=None, **values)]
    area = county_and_town(values["address"])
    if area is None or not values["name"]:
        member, code = ("address", "address_unknown") if area is None else ("name", "required")
        return Fault(row=row.number, column=form.names[member][0], code=code)
    outlet = Outlet(
        name=values["name"],
        address=values["address"],
        phone=values["phone"] or None,
        county=area.county,
        town=area.town,
    )
    return [
        Stock(
            row=row.number,
            column=form.names[product_class][0],
            register=NHI,
            code=values["code"],
            window_on=on or date.min,
            half=half or "",
            product_class=product_class,
            capacity=values[product_class],
            counted_at=values["counted_at"],
            outlet=outlet,
        )
        for product_class in PRODUCT_CLASSES
    ]


def _without_repeats(found: Stocks) -> Stocks:
    """Reject a row that names an outlet, half-day and class a row above named already."""
    seen: set[tuple[str, date, str, str]] = set()
    kept, faults = [], list(found.faults)
    for stock in found.stocks:
        key = (stock.code, stock.window_on, stock.half, stock.product_class)
        if key not in seen:
            seen.add(key)
            kept.append(stock)
        else:
            faults.append(Fault(row=stock.row, column=stock.column, code="repeated"))
    return Stocks(found.encoding, found.rows_in, kept, faults)
