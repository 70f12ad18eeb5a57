"""``citizen-cloud oidc``: the provider's keys and clients, from a terminal."""

import click
from sqlalchemy import text

from citizen_cloud import crypto, db
from citizen_cloud.cli.environment import settings as settings_of_run
from citizen_cloud.db import PooledDatabase
from citizen_cloud.oidc.services.signing_keys import rotate_keys

_KEYS = text(
    "SELECT kid, alg, active_from, retires_at FROM oidc.signing_key ORDER BY active_from, kid"
)
_CLIENTS = text("SELECT id, type, status, name ->> 'zh' AS name FROM oidc.client ORDER BY id")


@click.group()
def command() -> None:
    """Look after the OpenID provider."""


def _connect() -> PooledDatabase:
    settings = settings_of_run()
    crypto.configure(settings)
    return db.connect(settings)


@command.command("rotate-keys")
@click.option("--now", "at_once", is_flag=True, help="Sign with the new keys in a minute.")
def rotate(at_once: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Bring in new signing keys; without --now they sign after a day.

    With --now, what the old keys signed is refused after some twelve minutes: for a key that may
    be in wrong hands.
    """
    database = _connect()
    try:
        with db.transaction() as session:
            made = rotate_keys(session, at_once=at_once)
        click.echo(f"new keys: {', '.join(made)}")
    finally:
        database.dispose()


@command.command("keys")
def list_keys() -> None:
    """List the signing keys and when they sign."""
    _print(_KEYS)


@command.command("clients")
def list_clients() -> None:
    """List the clients; they are registered by the API."""
    _print(_CLIENTS)


def _print(statement: object) -> None:
    database = _connect()
    try:
        with db.transaction() as session:
            for row in session.execute(statement):  # type: ignore[call-overload]
                click.echo("  ".join("-" if value is None else str(value) for value in row))
    finally:
        database.dispose()
