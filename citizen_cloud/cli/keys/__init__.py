"""``citizen-cloud keys``: change the keys while the city goes on (docs/operations.md)."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from citizen_cloud import crypto, db
from citizen_cloud.app import contributions
from citizen_cloud.audit.services import Act, record
from citizen_cloud.cli.environment import default_var, reload_run, settings
from citizen_cloud.cli.keys import rings
from citizen_cloud.cli.keys.declared import Table, tables
from citizen_cloud.cli.keys.revocation import REASON
from citizen_cloud.cli.keys.revocation import revoke as revoke_and_say
from citizen_cloud.cli.keys.rewriting import Tally, rewrite
from citizen_cloud.cli.keys.standing import UNKNOWN, count, report
from citizen_cloud.credentials.services.revoking import Reason
from citizen_cloud.registry.discovery import discover

RING = click.argument("ring", nargs=-1, required=True, type=click.Choice(rings.RINGS))
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
def add(ring: tuple[str, ...]) -> None:
    """Draw a key that reads but does not write yet, in each RING."""
    for name in ring:
        kid = rings.add(rings.file_of(name))
        click.echo(f"{name} {kid} added; when all hold it: keys promote {kid} {name}")
    _reload(ring)


@command.command()
@click.argument("kid")
@RING
def promote(kid: str, ring: tuple[str, ...]) -> None:
    """Let the key KID of each RING write from the next reload on."""
    for name in ring:
        rings.promote(rings.file_of(name), kid)
        after = "keys rewrite" if name in COUNTED else "wait for the end of what it signed before"
        click.echo(f"{name} {kid} writes; when all know: {after}")
    _reload(ring)


@command.command()
@click.argument("kid")
@RING
def remove(kid: str, ring: tuple[str, ...]) -> None:
    """Take the key KID of each RING away; refused while a stored value needs it."""
    for name in ring:
        rings.refuse_present(rings.file_of(name), kid)
    _refuse_needed(kid, [name for name in ring if name in COUNTED])
    for name in ring:
        rings.remove(rings.file_of(name), kid)
        click.echo(f"{name} {kid} removed")
    _reload(ring)


@command.command()
@click.argument("kid")
@click.option("--reason", required=True, type=REASON, help="Public: every gate reads it.")
def revoke(kid: str, reason: Reason) -> None:
    """Let nothing count that the key of codes KID (c.k1) has signed, at once and for ever.

    Then issue its living codes anew: citizen-cloud credentials reissue.
    """
    with connected():
        revoke_and_say(kid, reason)


def _reload(ring: tuple[str, ...]) -> None:
    """Let the embedded run take the files up; elsewhere the operator reloads what he runs."""
    var = default_var()
    own = all(rings.file_of(name).is_relative_to(var) for name in ring)
    if own and reload_run(var):
        click.echo("the run here replaces its workers now; its log says when")
    else:
        click.echo("now reload every process: HUP to gunicorn and to each job worker")


def declared() -> list[Table]:
    """Return the tables of all rooms and modules with sealed or blind columns."""
    return tables((*contributions(), *discover().modules.values()))


def _refuse_needed(kid: str, ring: Sequence[str]) -> None:
    if not ring:
        return
    with connected():
        found = count(declared())
    for name in ring:
        left = found.needed(name)[kid] + found.needed(name)[UNKNOWN]
        if left:
            message = f"{left} values need {name} {kid}: run keys rewrite, then look at keys status"
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
