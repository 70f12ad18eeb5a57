"""``citizen-cloud privacy``: made-up persons that sound the alarm, and proofs of erasure."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jwt.algorithms import OKPAlgorithm
from jwt.exceptions import InvalidKeyError
from sqlalchemy.orm import Session

from citizen_cloud import crypto, db
from citizen_cloud.accounts.services import honey as made_up
from citizen_cloud.cli.environment import settings as settings_of_run
from citizen_cloud.credentials import keys
from citizen_cloud.credentials.statements import StatementInvalid
from citizen_cloud.credentials.verifier import Keys
from citizen_cloud.errors import NotFound
from citizen_cloud.privacy.services.certificates import read_certificate


@click.group()
def command() -> None:
    """Watch over personal data."""


@command.group()
def honey() -> None:
    """Keep made-up persons: whoever looks at one sets off an alarm."""


@honey.command()
@click.argument("person_id", type=click.UUID)
def add(person_id: UUID) -> None:
    """Mark a person nobody has a reason to look at, e.g. one signed up for this."""
    with _transaction() as session:
        try:
            made_up.mark(session, person_id=person_id)
        except NotFound as error:
            raise click.ClickException(f"no person has the id {person_id}") from error
    click.echo(f"a look at {person_id} is an alarm from now on")


@honey.command("list")
def show() -> None:
    """List the marked persons."""
    with _transaction() as session:
        for person_id, since in made_up.marked(session):
            click.echo(f"{person_id} since {since:%Y-%m-%d}")


@honey.command()
@click.argument("person_id", type=click.UUID)
def remove(person_id: UUID) -> None:
    """Take a mark away."""
    with _transaction() as session:
        made_up.unmark(session, person_id=person_id)
    click.echo(f"{person_id} is not marked")


@command.command("verify-certificate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    "key_set",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A saved /.well-known/credential-keys.json; the installation's own keys if left out.",
)
def verify_certificate(file: Path, key_set: Path | None) -> None:
    """Verify an erasure certificate and show what it says; exit code 1 if it is not genuine."""
    known = _own_indexs() if key_set is None else keys_of(key_set.read_text(encoding="utf-8"))
    try:
        claims = read_certificate(file.read_text(encoding="utf-8"), keys=known)
    except (StatementInvalid, UnicodeDecodeError) as error:
        click.echo(f"not genuine: {error}")
        sys.exit(1)
    click.echo(json.dumps(claims, ensure_ascii=False, indent=2))


def keys_of(document: str) -> Keys:
    """Read a key set as it is published. Raises ``ClickException``."""
    try:
        listed = json.loads(document)["keys"]
        found = {one["kid"]: OKPAlgorithm.from_jwk(one) for one in listed}
    except (ValueError, KeyError, TypeError, InvalidKeyError) as error:
        raise click.ClickException("this is no key set") from error
    return {kid: key for kid, key in found.items() if isinstance(key, Ed25519PublicKey)}


def _own_indexs() -> Keys:
    crypto.configure(settings_of_run())
    return keys.public_keys()


@contextmanager
def _transaction() -> Iterator[Session]:
    found = settings_of_run()
    crypto.configure(found)
    database = db.PooledDatabase(found.database_url, pool_size=1)
    db.install(database)
    try:
        with db.transaction() as session:
            yield session
    finally:
        database.dispose()
