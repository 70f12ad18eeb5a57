"""``citizen-cloud masks``: the platform's own stock import, e.g. the published open data."""

import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import text
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.booking.services import Actor
from citizen_cloud.cli.environment import settings as settings_of_run
from citizen_cloud.clock import CITY
from citizen_cloud.errors import Refusal
from citizen_cloud.modules.masks.queries.campaigns import covering
from citizen_cloud.modules.masks.rules.rationing import PRODUCTS, PROFILES
from citizen_cloud.modules.masks.rules.report import Report
from citizen_cloud.modules.masks.services.campaigns import NewCampaign, create_campaign
from citizen_cloud.modules.masks.services.imports import StockFile, import_stock
from citizen_cloud.text import Text
from citizen_cloud.web.caller import Grant

# Nobody is signed in at a terminal; the audit entry says that the machine's owner acted.
OPERATOR = Actor(kind="operator", id=None)
PLATFORM: dict[str, Any] = {
    "grant": Grant(everywhere=True),
    "actor": OPERATOR,
    "may_create": True,
    "language": "en",
}
DEFAULT_DAYS = 28
MOST_FAULTS_PRINTED = 20


@click.group()
def command() -> None:
    """Look after mask stock."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Day of files that name none.")
@click.option("--half", type=click.Choice(["am", "pm"]), help="Half-day of files that name none.")
@click.option("--campaign-adult", type=click.UUID, help="Campaign that takes the adult masks.")
@click.option("--campaign-child", type=click.UUID, help="Campaign that takes the child masks.")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default="TW-1",
    show_default=True,
    help="Rationing of a campaign this command creates.",
)
@click.option("--partial", is_flag=True, help="Apply the right rows although others are wrong.")
def import_file(
    file: Path,
    *,
    on: datetime | None,
    half: str | None,
    campaign_adult: UUID | None,
    campaign_child: UUID | None,
    profile: str,
    partial: bool,
) -> None:
    """Take FILE (CSV or XLSX) as the stock of all outlets, creating those that are new.

    Without a campaign for the day, one is created and opened for 28 days from then on.
    """
    day = on.date() if on else None
    settings = settings_of_run()
    crypto.configure(settings)
    database = db.PooledDatabase(settings.database_url, pool_size=1)
    db.install(database)
    began = time.monotonic()
    try:
        with db.transaction() as session:
            named = {"adult": campaign_adult, "child": campaign_child}
            campaigns = campaigns_for(session, named=named, on=day, profile=profile)
            meant: dict[str, Any] = {
                "on": day,
                "half": half,
                "partial": partial,
                "campaigns": campaigns,
            }
            stock_file = StockFile(raw=file.read_bytes(), **PLATFORM, **meant)
            report = import_stock(session, file=stock_file, progress=click.echo)
        click.echo(summary(report, time.monotonic() - began))
    except Refusal as refusal:
        raise click.ClickException(explained(refusal)) from refusal
    finally:
        database.dispose()


def campaigns_for(
    session: Session, *, named: dict[str, UUID | None], on: date | None, profile: str
) -> dict[str, UUID]:
    """Return the campaign of each class: the named one, the day's only one, or a new one."""
    found: dict[str, UUID] = {}
    for product_class, campaign_id in named.items():
        if campaign_id is not None:
            found[product_class] = campaign_id
        elif on is not None and not covering(
            session, product_class=product_class, first=on, last=on
        ):
            new = _new_campaign(session, product_class, on, profile)
            found[product_class] = create_campaign(session, new=new, actor=OPERATOR).id
            click.echo(f"campaign {found[product_class]} ({product_class}, {profile}) opened")
    return found


def _new_campaign(session: Session, product_class: str, on: date, profile: str) -> NewCampaign:
    now: datetime = session.execute(text("SELECT statement_timestamp()")).scalar_one()
    last = on + timedelta(days=DEFAULT_DAYS - 1)
    midnight = datetime(last.year, last.month, last.day, tzinfo=CITY) + timedelta(days=1)
    product = PRODUCTS[product_class]
    return NewCampaign(
        title=Text(f"{product.zh}预约", product.en),
        product_class=product_class,
        profile=profile,
        starts_on=on,
        ends_on=last,
        opens_at=now,
        closes_at=midnight,
        status="open",
    )


def summary(report: Report, seconds: float) -> str:
    """Return the report in one line, and each fault in one more."""
    line = (
        f"{report.rows_in} rows: {report.accepted} accepted, {report.rejected} rejected, "
        f"{report.changed} changed, {report.unchanged} unchanged "
        f"({report.encoding}, sha256 {report.checksum[:12]}…, {seconds:.1f} s)"
    )
    return "\n".join([line, *_faults(report.as_json("en")["errors"])])


def explained(refusal: Refusal) -> str:
    """Return why nothing was applied."""
    title = type(refusal).title.en
    report: dict[str, Any] = refusal.facts.get("report", {})
    faults = _faults(report.get("errors", []))
    return "\n".join([f"{title}; nothing was changed", *faults])


def _faults(errors: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"row {error['row'] or '-'}, {error['column'] or 'row'}: {error['message']}"
        for error in errors[:MOST_FAULTS_PRINTED]
    ]
    left = len(errors) - len(lines)
    return [*lines, f"… and {left} more"] if left > 0 else lines
