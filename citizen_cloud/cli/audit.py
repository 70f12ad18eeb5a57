"""``citizen-cloud audit``: verify the chain and the books, changing nothing."""

import sys

import click

from citizen_cloud import crypto, db
from citizen_cloud.audit import services
from citizen_cloud.booking.auditor import differences
from citizen_cloud.cli.environment import settings

MOST_SHOWN = 50


@click.group()
def command() -> None:
    """Verify what was written."""


@command.command()
def verify() -> None:
    """Walk the audit chain; exit code 1 names every row edited, removed or inserted."""
    _connect()
    with db.transaction() as session:
        found = services.verify(session)
        length = services.length(session)
    for finding in found[:MOST_SHOWN]:
        click.echo(f"no. {finding.number}: {finding.kind} (entry {finding.entry_id})")
    click.echo(f"{length} links verified, {len(found)} findings")
    sys.exit(1 if found else 0)


@command.command()
def bookings() -> None:
    """Compare counters, allowances, ledger, audit and outbox with bookings; exit code 1 if not."""
    _connect()
    with db.statement() as connection:
        found = differences(connection)
    for difference in found[:MOST_SHOWN]:
        click.echo(str(difference))
    click.echo(f"{len(found)} differences")
    sys.exit(1 if found else 0)


def _connect() -> None:
    found = settings()
    crypto.configure(found)
    db.install(db.PooledDatabase(found.database_url, pool_size=2))
