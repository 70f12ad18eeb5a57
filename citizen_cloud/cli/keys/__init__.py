"""``citizen-cloud keys``: change the keys while the city goes on (docs/operations.md)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from citizen_cloud import crypto, db
from citizen_cloud.app import contributions
from citizen_cloud.audit.services import Act, record
from citizen_cloud.cli.environment import settings
from citizen_cloud.cli.keys import rings
from citizen_cloud.cli.keys.declared import Table, tables
from citizen_cloud.cli.keys.rewriting import Tally, rewrite
from citizen_cloud.cli.keys.standing import UNKNOWN, count, report
from citizen_cloud.registry.discovery import discover

RING = click.argument("ring", type=click.Choice(rings.RINGS))
COUNTED = ("field", "lookup")


@click.group()
def command() -> None:
    """Add, promote and remove keys; write what they protect anew."""


@command.command("rewrite")
@click.option("--batch", default=200, show_default=True, type=click.IntRange(1, 10_000))
def rewrite_all(batch: int) -> None:
    """Seal every value and compute every index with the present keys.

    May run while the city goes on, be stopped anywhere, and run again. Exit code 1: values are
    left that it could not write or read.
    """
    with connected():
        tally = rewrite(declared(), batch=batch, tell=lambda line: click.echo(line, err=True))
        if tally.rewritten:
            with db.transaction() as session:
                record(session, _act(tally))
    click.echo(
        f"{tally.rewritten} values rewritten, {tally.missed} rows held by others, "
        f"{tally.unreadable} values that no key opens"
    )
    sys.exit(1 if tally.missed or tally.unreadable else 0)


@command.command()
def status() -> None:
    """Count what lies under which key, and say which keys can go."""
    with connected():
        for line in report(count(declared()), crypto.current()):
            click.echo(line)


@command.command()
@RING
def add(ring: str) -> None:
    """Draw a key that reads but does not write yet."""
    kid = rings.add(rings.file_of(ring))
    click.echo(f"{ring} {kid} added; reload every process, then: keys promote {ring} {kid}")


@command.command()
@RING
@click.argument("kid")
def promote(ring: str, kid: str) -> None:
    """Let a key write from the next reload on."""
    rings.promote(rings.file_of(ring), kid)
    after = "keys rewrite" if ring in COUNTED else "wait until nothing signed before is valid"
    click.echo(f"{ring} {kid} writes; reload every process, then: {after}")


@command.command()
@RING
@click.argument("kid")
def remove(ring: str, kid: str) -> None:
    """Take a key away; refused while a stored value needs it."""
    path = rings.file_of(ring)
    if ring in COUNTED and kid in rings.kids(path):
        _refuse_needed(ring, kid)
    rings.remove(path, kid)
    click.echo(f"{ring} {kid} removed; reload every process")


def declared() -> list[Table]:
    """Return the tables of all rooms and modules with sealed or blind columns."""
    return tables((*contributions(), *discover().modules.values()))


def _refuse_needed(ring: str, kid: str) -> None:
    with connected():
        needed = count(declared()).needed(ring)
    left = needed[kid] + needed[UNKNOWN]
    if left:
        message = f"{left} values need {ring} {kid}; run keys rewrite first, keys status tells more"
        raise click.ClickException(message)


@contextmanager
def connected() -> Iterator[None]:
    """Take the keys as the files hold them now, and open the database for the block."""
    found = settings()
    crypto.configure(found)
    database = db.PooledDatabase(found.database_url, pool_size=2)
    db.install(database)
    try:
        yield
    finally:
        database.dispose()


def _act(tally: Tally) -> Act:
    held = crypto.current()
    return Act(
        actor_kind="operator",
        actor_id=None,
        action="keys.rewritten",
        object_type="keys",
        object_id=None,
        payload={
            "values": tally.rewritten,
            "field": held.fields.primary[0],
            "lookup": held.lookups.primary[0],
        },
    )
