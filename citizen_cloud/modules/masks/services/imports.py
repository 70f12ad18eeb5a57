"""Take a stock file: all of it or nothing, unless the right rows alone are wanted."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud.audit.services import Act, record
from citizen_cloud.booking.services import Actor
from citizen_cloud.errors import Conflict
from citizen_cloud.modules.masks.files import sheets, stock
from citizen_cloud.modules.masks.files.stock import Stock, Stocks
from citizen_cloud.modules.masks.rules.rationing import PRODUCT_CLASSES
from citizen_cloud.modules.masks.rules.refusals import FileRefused, RowsRejected
from citizen_cloud.modules.masks.rules.report import Fault, FileFault, Report
from citizen_cloud.modules.masks.services.campaigns import lock_class
from citizen_cloud.modules.masks.services.counting import Counting
from citizen_cloud.modules.masks.services.known import Known
from citizen_cloud.text import Language
from citizen_cloud.web.caller import Grant

# Each round gives up the rows that were booked out from under the file meanwhile.
MOST_ROUNDS = 5
MOST_STORED = 100


def _silent(step: str) -> None:
    del step


@dataclass(frozen=True, kw_only=True)
class StockFile:
    """A file and how it is meant.

    ``on`` and ``half`` are for open data, which names no window. ``campaigns`` says by product
    class which campaign takes the numbers; else the one that covers the day does. Only the
    platform's own import ``may_create`` outlets.
    """

    raw: bytes
    grant: Grant
    actor: Actor
    on: date | None = None
    half: str | None = None
    partial: bool = False
    may_create: bool = False
    campaigns: Mapping[str, UUID] = field(default_factory=dict)
    language: Language = "zh"


def import_stock(
    session: Session,
    *,
    file: StockFile,
    now: datetime | None = None,
    progress: Callable[[str], None] = _silent,
) -> Report:
    """Set the offers' stock to what a file says, and report every row.

    Offers that are missing are published; a number never falls below what is reserved (that row is
    rejected). The same file again changes nothing. Raises ``FileRefused`` for a file that cannot
    be read, and ``RowsRejected`` where a row is wrong and ``partial`` was not asked for; then
    nothing at all is changed.
    """
    report = Report(checksum=sheets.checksum(file.raw).hex())
    found = _read(file, report)
    progress(f"{found.rows_in} rows read ({found.encoding})")
    for product_class in PRODUCT_CLASSES:
        lock_class(session, product_class)
    at = now or session.execute(text("SELECT statement_timestamp()")).scalar_one()
    _Rounds(session, file, report, progress).run(found, at)
    if report.faults and not file.partial:
        shown = report.as_json(file.language)
        raise RowsRejected(rejected=report.rejected, report=shown)
    report.applied = True
    _keep(session, file, report)
    return report


def _read(file: StockFile, report: Report) -> Stocks:
    try:
        found = stock.stocks(sheets.read(file.raw), on=file.on, half=file.half)
    except FileFault as fault:
        report.faults = fault.faults
        raise FileRefused(report=report.as_json(file.language)) from fault
    report.encoding = found.encoding
    report.rows_in = found.rows_in
    report.reject(found.faults)
    return found


@dataclass(frozen=True)
class _Rounds:
    session: Session
    file: StockFile
    report: Report
    progress: Callable[[str], None]

    def run(self, found: Stocks, now: datetime) -> None:
        """Apply the right rows whole; a row that turns out wrong takes back the round it was in."""
        for _ in range(MOST_ROUNDS):
            wrong = {fault.row for fault in self.report.faults}
            stocks = [one for one in found.stocks if one.row not in wrong]
            faults = self._round(stocks, now)
            if not faults:
                return
            self.report.reject(faults)
        raise Conflict

    def _round(self, stocks: list[Stock], now: datetime) -> list[Fault]:
        if not stocks:
            return []
        known = Known(
            session=self.session,
            grant=self.file.grant,
            may_create=self.file.may_create,
            campaigns=self.file.campaigns,
            now=now,
        )
        known.read(stocks)
        faults = [fault for one in stocks if (fault := known.fault(one)) is not None]
        faults = faults or known.overlaps(stocks)
        if faults or (self.report.faults and not self.file.partial):
            return faults
        return self._apply(known, stocks)

    def _apply(self, known: Known, stocks: list[Stock]) -> list[Fault]:
        counting = Counting(
            self.session, known=known, actor=self.file.actor, progress=self.progress
        )
        with self.session.begin_nested() as round_:
            faults = counting.apply(stocks)
            if faults:
                round_.rollback()
                return faults
        self.report.changed = len(counting.changed_rows)
        self.report.unchanged = len({one.row for one in stocks}) - self.report.changed
        return []


_STORE = text(
    """
    INSERT INTO masks.stock_import (organisation_id, target, content_hash, report, applied_by)
    VALUES (:organisation, :target, :hash, cast(:report AS jsonb), :actor)
    ON CONFLICT DO NOTHING
    """
)


def _keep(session: Session, file: StockFile, report: Report) -> None:
    """Keep the report and audit the import; rows' faults are bounded, counts are exact."""
    only = (
        next(iter(file.grant.organisation_ids)) if len(file.grant.organisation_ids) == 1 else None
    )
    stored = report.as_json(file.language)
    stored["errors"] = stored["errors"][:MOST_STORED]
    session.execute(
        _STORE,
        {
            "organisation": only,
            "target": _target(file),
            "hash": bytes.fromhex(report.checksum),
            "report": json.dumps(stored, ensure_ascii=False),
            "actor": file.actor.id,
        },
    )
    names = ("rows_in", "accepted", "rejected", "changed", "unchanged", "checksum")
    act = Act(
        actor_kind=file.actor.kind,
        actor_id=file.actor.id,
        action="masks.stock_imported",
        object_type="masks.stock_import",
        object_id=None,
        organisation_id=only,
        payload={name: stored[name] for name in names},
    )
    record(session, act)


def _target(file: StockFile) -> str:
    """Say in one word what the numbers were for."""
    campaigns = ",".join(str(file.campaigns.get(name, "")) for name in PRODUCT_CLASSES)
    return f"{file.on or ''}:{file.half or ''}:{campaigns}"
