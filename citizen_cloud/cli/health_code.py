"""``citizen-cloud health-code``: compare colours with events, or fold everybody anew."""

import sys
from uuid import UUID

import click
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.cli.environment import settings
from citizen_cloud.modules.health_code.services.colours import refolding
from citizen_cloud.modules.health_code.services.colours.auditing import differences

MOST_SHOWN = 50
EVERY = 20


@click.group("health-code")
def command() -> None:
    """Look after the health code."""


@command.command()
def check() -> None:
    """Compare every colour with the fold of its events; exit code 1 names what differs."""
    _connect()
    with db.transaction() as session:
        _one_state(session)
        found = differences(session)
    for difference in found[:MOST_SHOWN]:
        click.echo(str(difference))
    click.echo(f"{len(found)} differences")
    sys.exit(1 if found else 0)


@command.command()
@click.option("--after", type=click.UUID, help="Go on behind this person, as the last line said.")
def recompute(*, after: UUID | None) -> None:
    """Fold everybody anew from the events; stopped anywhere, --after goes on."""
    _connect()
    batches = 0
    while True:
        with db.transaction() as session:
            last = refolding.recompute(session, after=after)
        if last is None:
            break
        after, batches = last, batches + 1
        if batches % EVERY == 0:
            click.echo(f"{batches * refolding.MOST} people, --after {after}")
    click.echo(f"done: at most {batches * refolding.MOST} people")


def _one_state(session: Session) -> None:
    """Let a session see one state throughout, while citizens go on declaring."""
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _connect() -> None:
    found = settings()
    crypto.configure(found)
    db.install(db.PooledDatabase(found.database_url, pool_size=2))
