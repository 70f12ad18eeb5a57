"""``citizen-cloud credentials``: after a key was revoked, its living codes are issued anew."""

import time

import click

from citizen_cloud import db
from citizen_cloud.audit.services import Act, record
from citizen_cloud.cli.keys import connected
from citizen_cloud.credentials.services.reissuing import left, reissue_batch
from citizen_cloud.credentials.services.revoking import revoked_keys
from citizen_cloud.credentials.services.snapshots import publish
from citizen_cloud.errors import Unavailable

PAUSE_S = 0.2


@click.group()
def command() -> None:
    """Look after the codes that are out."""


@command.command()
@click.option("--kid", default=None, help="Of this revoked key only; of all if left out.")
@click.option("--batch", default=500, show_default=True, type=click.IntRange(1, 10_000))
def reissue(kid: str | None, batch: int) -> None:
    """Issue every living code of revoked keys anew, and let the services tell the people.

    May be stopped anywhere, also by force, and run again: what is done is not done twice.
    """
    with connected():
        kids = _kids(kid)
        with db.statement() as connection:
            total = left(connection, kids=kids)
        click.echo(f"{total} living codes of {', '.join(kids)}")
        done = _walk(kids, batch, total)
        with db.transaction() as session:
            if done:
                record(session, _act(kids, done))
            publish(session)
    click.echo(f"{done} codes issued anew, none left")


def _kids(kid: str | None) -> list[str]:
    with db.statement() as connection:
        revoked = revoked_keys(connection)
    if not revoked:
        raise click.ClickException("no key of codes is revoked; first: keys revoke c.… --reason …")
    if kid is not None and kid not in revoked:
        raise click.ClickException(
            f"{kid} is not revoked; revoked are {', '.join(sorted(revoked))}"
        )
    return sorted(revoked) if kid is None else [kid]


def _walk(kids: list[str], batch: int, total: int) -> int:
    done = 0
    while True:
        try:
            with db.transaction() as session:
                made = reissue_batch(session, kids=kids, size=batch)
        except Unavailable as error:
            raise click.ClickException(
                "no key is left that signs: keys add credential, then reload every process"
            ) from error
        if not made.done:
            with db.statement() as connection:
                if not left(connection, kids=kids):
                    return done
            # Somebody holds the last of them just now, to end them.
            time.sleep(PAUSE_S)
            continue
        done += made.done
        click.echo(f"{done} of {max(done, total)}")


def _act(kids: list[str], done: int) -> Act:
    return Act(
        actor_kind="operator",
        actor_id=None,
        action="credentials.reissued",
        object_type="credential_key",
        object_id=None,
        payload={"kids": kids, "codes": done},
    )
