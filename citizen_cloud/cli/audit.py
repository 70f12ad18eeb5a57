"""``citizen-cloud audit``: verify the chain and the books, publish the chain's head."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from citizen_cloud import crypto, db
from citizen_cloud.audit import services
from citizen_cloud.booking.auditor import differences
from citizen_cloud.cli.environment import settings
from citizen_cloud.cli.privacy import keys_of
from citizen_cloud.config import Settings
from citizen_cloud.credentials import keys as own_keys
from citizen_cloud.credentials.statements import StatementInvalid
from citizen_cloud.portal import heads as published

MOST_SHOWN = 50
A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """Verify what was written."""


@command.command()
@click.option("--heads", "kept", type=A_FILE, help="Published heads somebody kept, one a line.")
@click.option(
    "--keys",
    "key_set",
    type=A_FILE,
    help="A saved /.well-known/credential-keys.json; the installation's own keys if left out.",
)
@click.option("--progress", is_flag=True, help="Say how far it is.")
def verify(kept: Path | None, key_set: Path | None, *, progress: bool) -> None:
    """Walk the audit chain; exit code 1 names every row edited, removed or inserted."""

    def tell(count: int) -> None:
        click.echo(f"{count} links", err=True)

    with _connected(), db.transaction() as session:
        heads = {} if kept is None else _heads(kept, key_set)
        seen = services.examine(session, heads=heads, progress=tell if progress else _say_nothing)
    for finding in seen.findings[:MOST_SHOWN]:
        click.echo(str(finding))
    click.echo(
        f"{seen.length} links verified, {seen.redacted} redacted, {len(seen.findings)} findings"
    )
    sys.exit(1 if seen.findings else 0)


def _say_nothing(_count: int) -> None:
    """Be quiet."""


def _heads(kept: Path, key_set: Path | None) -> Mapping[int, bytes]:
    known = own_keys.public_keys() if key_set is None else keys_of(key_set.read_text("utf-8"))
    try:
        return published.read([kept.read_text(encoding="utf-8")], keys=known)
    except (StatementInvalid, UnicodeDecodeError) as error:
        message = f"{kept} holds no heads of ours: {error}"
        raise click.ClickException(message) from error


@command.command()
def publish() -> None:
    """Publish the present head now: in the database, and in the file outside it if one is set."""
    with _connected() as found, db.transaction() as session:
        published.configure(found)
        head = published.publish(session)
    click.echo("nothing is sealed yet" if head is None else f"{head.number} {head.hash.hex()}")


@command.command()
def bookings() -> None:
    """Compare counters, allowances, ledger, audit and outbox with bookings; exit code 1 if not."""
    with _connected(), db.statement() as connection:
        found = differences(connection)
    for difference in found[:MOST_SHOWN]:
        click.echo(str(difference))
    click.echo(f"{len(found)} differences")
    sys.exit(1 if found else 0)


@contextmanager
def _connected() -> Iterator[Settings]:
    found = settings()
    crypto.configure(found)
    database = db.PooledDatabase(found.database_url, pool_size=2)
    db.install(database)
    try:
        yield found
    finally:
        database.dispose()
